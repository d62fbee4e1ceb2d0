#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <troupe/actor/end_hook.hpp>
#include <troupe/actor/reply_to.hpp>
#include <troupe/node/detail/node_connection.hpp>
#include <troupe/node/detail/node_self.hpp>
#include <troupe/sync/mpsc.hpp>

namespace troupe::inline v0_1::detail {

class server_link;

/// A message that has come from another node.
struct incoming {
  frame_bytes frame;
  std::size_t item = 0;                    ///< Of those of who handles it.
  std::optional<std::uint64_t> request{};  ///< It was asked.
  std::optional<time_point> until{};       ///< Its deadline.
};

/// A published actor.
class exported {
public:
  exported() = default;
  exported(const exported&) = delete;
  exported& operator=(const exported&) = delete;
  virtual ~exported() = default;

  [[nodiscard]] virtual const std::vector<item_spec>& items() const = 0;
  /// Waits for room and puts the message into the mailbox. Returns: false when it is no such one.
  /// Requires: `link` stays until then.
  [[nodiscard]] virtual task<bool> deliver(const std::shared_ptr<server_link>& link,
                                           incoming message) = 0;
  virtual void follow(end_hook& hook) = 0;
  virtual void end(bool kills) noexcept = 0;
  [[nodiscard]] virtual bool has_ended() const = 0;
};

/// Those of a node, by name.
class export_table {
public:
  /// Returns: false when the name stands for another that lives.
  [[nodiscard]] bool add(std::string name, std::shared_ptr<exported> what);
  void remove(const std::string& name);
  void clear();
  [[nodiscard]] std::shared_ptr<exported> find(const std::string& name) const;

private:
  mutable pal::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<exported>> all_;
};

/// A link from another node, from the side that was connected to. It ends with its connection.
///
/// Each actor that the other node uses is a session: a task of its own puts its messages into the
/// mailbox, in their order, so that a full one holds up no other. What has left the link gives the
/// other node its credit back.
class server_link final : private frame_receiver, public std::enable_shared_from_this<server_link> {
public:
  server_link(std::shared_ptr<const node_self> self, io::stream peer, std::string peer_name,
              const export_table& exports);

  /// Always ends by a system_error, see node_connection::run().
  [[nodiscard]] task<> run();
  void close(std::string words) { connection_.close(std::move(words)); }

  // --- for those who answer; threads: any ---

  void begin_request(std::uint64_t request, withdrawal with);
  void answer(std::uint64_t request, std::string_view payload);
  void fail(std::uint64_t request, ask_errc error, const std::string* words) noexcept;
  void break_off(std::string words) { connection_.break_off(std::move(words)); }

private:
  struct session {
    session(server_link& of, std::uint32_t id, std::shared_ptr<exported> what)
        : session{of, id, std::move(what), mpsc_unbounded<incoming>()} {}
    session(server_link& of, std::uint32_t id, std::shared_ptr<exported> what,
            channel_ends<incoming>&& ends)
        : link{of},
          number{id},
          to{std::move(what)},
          mail{std::move(ends.tx)},
          waiting{std::move(ends.rx)} {}

    server_link& link;
    const std::uint32_t number;
    const std::shared_ptr<exported> to;
    std::vector<std::size_t> item_of;              // Ours, by theirs.
    std::optional<troupe::sender<incoming>> mail;  // Until it is dropped.
    troupe::receiver<incoming> waiting;
    std::size_t owed_bytes = 0;               // On the session's task.
    pal::atomic<std::int64_t> open_bytes{0};  // What has come and has not left.
    struct hook final : end_hook {
      explicit hook(session& in) noexcept;
      session& of;
    } end{*this};
  };

  void begin(scope_handle tasks) override { tasks_ = tasks; }
  void receive(frame_bytes frame) override;
  void hear(const lookup_frame& lookup);
  void hear(std::uint32_t number, std::uint16_t item, incoming message);
  void hear(const withdraw_frame& withdrawn);
  void hear(const drop_frame& dropped);
  task<> serve(std::shared_ptr<session> of);
  void tell_end(std::uint32_t number, const exit_reason& why, bool restarts) noexcept;
  [[nodiscard]] std::string mismatch(const lookup_frame& wanted, const exported& found,
                                     std::vector<std::size_t>& item_of) const;
  void refuse(const lookup_frame& lookup, ask_errc error, std::string words);
  [[nodiscard]] session* find(std::uint32_t number) const;
  [[nodiscard]] bool end_request(std::uint64_t request);

  const std::shared_ptr<const node_self> self_;
  const node_options& limits_;
  const std::string& own_name_;
  const std::string peer_name_;
  const export_table& exports_;
  node_connection connection_;
  std::optional<scope_handle> tasks_;

  // Of the task that reads.
  std::unordered_map<std::uint32_t, std::shared_ptr<session>> sessions_;

  pal::mutex mutex_;
  std::unordered_map<std::uint64_t, withdrawal> requests_;  // Begun, and not answered.
};

}  // namespace troupe::inline v0_1::detail
