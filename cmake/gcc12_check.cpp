// Exits with 0 when an aggregate temporary with a non-trivial member survives a co_await in its
// full expression, with 1 when the compiler copied it bit by bit. Used by gcc12_check.cmake.
#include <coroutine>
#include <exception>

// Knows its own address: a bitwise copy is found out.
class tracked {
public:
  tracked() noexcept : self_(this) {}
  tracked(const tracked&) noexcept : self_(this) {}
  tracked& operator=(const tracked&) = delete;
  ~tracked() {
    if (self_ != this) broken = true;
  }
  bool whole() const noexcept { return self_ == this; }
  static inline bool broken = false;

private:
  const tracked* self_;
};

struct message {
  int id;
  tracked name;
};

struct coroutine {
  struct promise_type {
    coroutine get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };
};

class ask {
public:
  explicit ask(message&& m) noexcept : message_(m) {}
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<>) const noexcept { return false; }
  bool await_resume() const noexcept { return message_.name.whole(); }

private:
  message& message_;
};

coroutine test(bool& whole) { whole = co_await ask(message{.id = 1, .name = tracked()}); }

int main() {
  bool whole = false;
  test(whole);
  return whole && !tracked::broken ? 0 : 1;
}
