// Transfers between the branches of a bank; a branch crashes in the middle of one, and is
// restarted.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include <troupe/actor/supervisor.hpp>
#include <troupe/runtime/run.hpp>

#include "options.hpp"

namespace {

using money = std::int64_t;
using booking_id = std::uint64_t;

// What a branch must not forget. It outlives the branch's incarnations, as a database would.
struct ledger {
  std::string name;
  money balance = 0;
  std::map<booking_id, money> booked;
  bool was_open = false;
};

// Books an amount, once for each id: to ask again does no harm.
struct book {
  using reply = money;
  booking_id id;
  money amount;
};
struct balance {
  using reply = money;
};
struct crash_soon {};

class branch : public troupe::actor {
public:
  explicit branch(std::shared_ptr<ledger> books) : books_{std::move(books)} {}

  void on_start() {
    const char* how = std::exchange(books_->was_open, true) ? "is restarted" : "opens";
    fmt::print("{} {} with {}\n", books_->name, how, books_->balance);
  }

  money on(book m) {
    bool is_new = books_->booked.try_emplace(m.id, m.amount).second;
    if (is_new) books_->balance += m.amount;
    if (std::exchange(crashes_soon_, false)) {
      fmt::print("{} crashes: booking {} is done, its answer is lost\n", books_->name, m.id);
      throw std::runtime_error{"power cut"};
    }
    return books_->balance;
  }
  money on(balance) const { return books_->balance; }
  void on(crash_soon) { crashes_soon_ = true; }

private:
  std::shared_ptr<ledger> books_;
  bool crashes_soon_ = false;  // Not durable: forgotten with the incarnation.
};

using branches = std::vector<troupe::ref<branch>>;

// Asks until there is an answer: a branch that is restarted keeps its address and its mail.
troupe::task<> book_surely(troupe::ref<branch> at, book m) {
  for (;;) {
    auto answer = co_await at.ask(m).as_result();
    if (answer) co_return;
    if (answer.error() == troupe::ask_errc::receiver_gone) troupe::throw_error(answer.error());
    fmt::print("booking {}: {}: asked again\n", m.id, answer.error().message());
  }
}

troupe::task<> transfer(branches all, std::uint64_t id) {
  money amount = static_cast<money>(id % 7 + 1);
  std::size_t from = id % all.size();
  std::size_t to = (id * 3 + 1) % all.size();
  co_await book_surely(all[from], book{id * 2, -amount});
  co_await book_surely(all[to], book{id * 2 + 1, amount});
}

troupe::task<money> sum_of(branches all) {
  money sum = 0;
  for (const auto& each : all) sum += co_await each.ask(balance{});
  co_return sum;
}

troupe::task<int> main_task(std::uint64_t transfers) {
  constexpr std::array names{"Antwerp", "Bergen", "Cadiz", "Dresden"};
  auto head_office = troupe::spawn<troupe::supervisor>();
  branches all;
  for (const char* name : names) {
    auto books = std::make_shared<ledger>();
    books->name = name;
    books->balance = 1000;
    all.push_back(troupe::spawn_child<branch>(head_office, books));
  }
  money before = co_await sum_of(all);
  fmt::print("sum before: {}\n", before);

  std::vector<troupe::join_handle<void>> running;
  for (std::uint64_t id = 1; id <= transfers; ++id) {
    if (id == transfers / 2 + 1) co_await all[1].send(crash_soon{});
    running.push_back(troupe::spawn(transfer, all, id));
  }
  for (auto& each : running) co_await each;

  money after = co_await sum_of(all);
  fmt::print("sum after {} transfers: {}, {}\n", transfers, after,
             after == before ? "right" : "WRONG");
  co_return after == before ? 0 : 1;
}  // The head office ends with its last ref, and its branches before it.

}  // namespace

int main(int argc, char** argv) {
  samples::options options{argc, argv};
  auto transfers = options.number<std::uint64_t>("--transfers", 100, 1, 1'000'000);
  options.end();
  return troupe::run(main_task, transfers);
}
