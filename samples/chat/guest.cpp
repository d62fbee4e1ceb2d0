#include "guest.hpp"

#include <algorithm>
#include <cctype>
#include <utility>
#include <vector>

namespace chat {

using namespace std::chrono_literals;

namespace {

// Of a guest's mailbox: lines that come at once, while its worker is busy, are not too many.
constexpr std::uint16_t capacity = 256;

troupe::actors::connection_options options_of_peers() {
  troupe::actors::connection_options options;
  options.max_unsent_frames = 32;
  options.idle_limit = 1h;  // Who only listens may do so for a while.
  return options;
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 20 && std::all_of(text.begin(), text.end(), [](char each) {
    return std::isalnum(static_cast<unsigned char>(each)) != 0 || each == '-' || each == '_';
  });
}

}  // namespace

guest::guest(troupe::io::stream peer, troupe::ref<hall> of)
    : connection{std::move(peer), options_of_peers()}, hall_{std::move(of)} {}

troupe::task<> guest::on_start() {
  arrive m{self(this).address()};
  name_ = co_await hall_.ask(troupe::take(m));
  connection::on_start();
  co_await tell("* welcome, " + name_ + ": /join ROOM, /nick NAME, /who, /quit");
}

troupe::task<> guest::on(said m) { co_await tell(*m.line); }

troupe::task<> guest::on_frame(std::string line) {
  std::size_t space = std::min(line.find(' '), line.size());
  std::string command = line.substr(0, space);
  std::string argument = line.substr(std::min(space + 1, line.size()));
  if (has_quit_ || line.empty()) co_return;
  if (command == "/join") {
    co_await join(std::move(argument));
  } else if (command == "/nick") {
    co_await take_name(std::move(argument));
  } else if (command == "/who") {
    co_await list();
  } else if (command == "/quit") {
    has_quit_ = true;
    co_await tell("* bye");
    self().stop();
  } else if (command.starts_with('/')) {
    co_await tell("* there is no " + command + ": /join ROOM, /nick NAME, /who, /quit");
  } else if (!room_) {
    co_await tell("* nobody hears you: /join ROOM");
  } else {
    co_await speak(name_ + ": " + line);
  }
}

troupe::task<> guest::tell(std::string line) { co_await write(line + "\n"); }

troupe::task<> guest::speak(std::string line) {
  said m = say(std::move(line));
  co_await room_->send(troupe::take(m));
}

troupe::task<> guest::join(std::string room_name) {
  if (!is_name(room_name)) co_return co_await tell("* a room has a name of up to 20 letters");
  auto me = self(this).address();
  if (room_) {
    co_await troupe::actors::unsubscribe(*room_, me);
    co_await speak("* " + name_ + " has left");
  }
  room_ = co_await hall_.ask<enter>(me.id(), room_name);
  co_await troupe::actors::subscribe(*room_, me, troupe::actors::slow::kill);
  co_await speak("* " + name_ + " has come to " + room_name);
}

troupe::task<> guest::take_name(std::string name) {
  if (!is_name(name)) co_return co_await tell("* a name has up to 20 letters");
  bool is_free = co_await hall_.ask<rename>(self(this).address().id(), name);
  if (!is_free) co_return co_await tell("* " + name + " is somebody else");
  std::string news = "* " + std::exchange(name_, name) + " is now " + name;
  if (room_) co_return co_await speak(std::move(news));
  co_await tell(std::move(news));
}

troupe::task<> guest::list() {
  if (!room_) co_return co_await tell("* you are in no room: /join ROOM");
  std::vector<std::string> names = co_await hall_.ask(look_around{self(this).address().id()});
  std::string line = "* here:";
  for (const auto& each : names) line += " " + each;
  co_await tell(std::move(line));
}

troupe::ref<troupe::actors::listener> open(troupe::io::listener source,
                                           const troupe::ref<hall>& of) {
  auto make = [of](troupe::io::stream peer) {
    troupe::actor_options options;
    options.capacity = capacity;
    return troupe::spawn<guest>(options, std::move(peer), of);
  };
  return troupe::spawn<troupe::actors::listener>(std::move(source), make);
}

}  // namespace chat
