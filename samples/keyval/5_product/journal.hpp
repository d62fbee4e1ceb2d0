#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <troupe/actor/actor.hpp>
#include <troupe/task/task.hpp>

#include "part.hpp"

namespace keyval {

/// Where a journal lies: a file, or the simulation of one.
class disk {
public:
  virtual ~disk() = default;

  /// Returns: up to `most` of what is there from `offset` on; nothing at the end.
  virtual troupe::task<std::string> read(std::uint64_t offset, std::size_t most) = 0;
  /// Cuts it off there: what is written next begins there.
  virtual troupe::task<> cut(std::uint64_t offset) = 0;
  /// Adds `bytes` at the end, and ends when they are stored. Errors: as system_error; it may then
  /// hold any part of them.
  virtual troupe::task<> store(std::string bytes) = 0;
};

/// A file on disk, made where there is none. Errors: as system_error.
troupe::task<std::unique_ptr<disk>> open_disk(std::string path);

/// Has a journal write what one shard has changed, and then answer for it. Without `records`: when
/// all that came before is stored.
struct commit {
  using reply = part_ptr;
  std::string records;
  part_ptr answer;                                     ///< What the answer is to be.
  std::shared_ptr<std::atomic<std::uint64_t>> stored;  ///< Counts the commits of that shard.
};

/// Writes what the shards have changed, each change before it is answered.
///
/// While one batch is being stored the next one gathers: however many write, the disk is waited for
/// once for each batch. When the disk fails, so does the journal: nothing is answered any more.
/// Requires: an unbounded mailbox. It holds a commit for each session at most, as each waits for
///           its own, and one for each shard.
class journal final : public troupe::actor {
public:
  explicit journal(std::unique_ptr<disk> at) : disk_{std::move(at)} {}

  void on(commit m, troupe::reply<part_ptr> back);
  troupe::task<> on_stop();

private:
  struct waiting {
    troupe::reply<part_ptr> back;
    part_ptr answer;
    std::shared_ptr<std::atomic<std::uint64_t>> stored;
  };

  troupe::task<> store_all();
  troupe::task<> store_batch();

  std::unique_ptr<disk> disk_;
  std::string records_;  // Of the next batch.
  std::vector<waiting> waiting_;
  bool is_storing_ = false;
};

/// Starts a journal.
troupe::ref<journal> open_journal(std::unique_ptr<disk> at);

/// How records stand in a journal: four bytes of length, four of a checksum, and then requests.
void add_record(std::string_view requests, std::string& to);

struct record {
  std::string_view requests;  ///< Empty where there is none.
  std::size_t size_bytes = 0;
  bool is_broken = false;  ///< What stands there never becomes a record.
};
/// Reads the record that `bytes` begin with. Returns: none while it is not whole.
record first_record(std::string_view bytes) noexcept;

}  // namespace keyval
