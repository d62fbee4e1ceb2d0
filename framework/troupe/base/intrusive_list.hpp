#pragma once

#include <troupe/base/assert.hpp>

namespace troupe::inline v0_1 {

/// Base of what can stand in one intrusive_list at a time.
struct list_link {
  list_link* next = nullptr;
  list_link* prev = nullptr;

  list_link() = default;
  list_link(const list_link&) = delete;
  list_link& operator=(const list_link&) = delete;

  [[nodiscard]] bool linked() const noexcept { return next != nullptr; }
};

/// A doubly linked list of elements that bring their own links: no allocation, O(1) everywhere.
///
/// The list never owns its elements. An element must be taken off before it is destroyed.
/// Threads: not safe to share; its user brings the lock.
template <class T>
class intrusive_list {
public:
  intrusive_list() noexcept { root_.next = root_.prev = &root_; }

  [[nodiscard]] bool empty() const noexcept { return root_.next == &root_; }

  /// Requires: `element` is in no list.
  void push_back(T& element) noexcept { insert_before(root_, element); }

  /// Requires: `element` is in no list.
  void push_front(T& element) noexcept { insert_before(*root_.next, element); }

  /// Returns: the first element. Requires: not empty.
  [[nodiscard]] T& front() noexcept {
    TROUPE_ASSERT(!empty());
    return static_cast<T&>(*root_.next);
  }

  /// Takes the first element off; null when empty.
  [[nodiscard]] T* pop_front() noexcept {
    if (empty()) return nullptr;
    T& first = static_cast<T&>(*root_.next);
    erase(first);
    return &first;
  }

  /// Returns: the element `distance` places before `element`; null when there is none.
  [[nodiscard]] T* before(T& element, unsigned distance) noexcept {
    list_link* at = &element;
    for (; distance > 0 && at != &root_; --distance) at = at->prev;
    return at == &root_ ? nullptr : static_cast<T*>(at);
  }

  /// Appends all that `from` has, in its order.
  void take_all(intrusive_list& from) noexcept {
    if (from.empty()) return;
    list_link& first = *from.root_.next;
    list_link& last = *from.root_.prev;
    from.root_.next = from.root_.prev = &from.root_;
    first.prev = root_.prev;
    root_.prev->next = &first;
    last.next = &root_;
    root_.prev = &last;
  }

  /// Takes `element` off. Requires: it is in this list.
  static void erase(T& element) noexcept {
    list_link& link = element;
    TROUPE_ASSERT(link.linked());
    link.prev->next = link.next;
    link.next->prev = link.prev;
    link.next = link.prev = nullptr;
  }

  /// Calls `visit(T&)` for each element, oldest first; `visit` may erase the one it is given.
  template <class Visit>
  void for_each(Visit visit) {
    for (list_link* at = root_.next; at != &root_;) {
      list_link* following = at->next;
      visit(static_cast<T&>(*at));
      at = following;
    }
  }

private:
  static void insert_before(list_link& at, list_link& link) noexcept {
    TROUPE_ASSERT(!link.linked());
    link.prev = at.prev;
    link.next = &at;
    at.prev->next = &link;
    at.prev = &link;
  }

  list_link root_;
};

}  // namespace troupe::inline v0_1
