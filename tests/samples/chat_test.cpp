#include <csignal>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <samples/peer.hpp>
#include <samples/program.hpp>

namespace samples {

namespace {

// A guest at the keyboard, who reads line by line.
class typist {
public:
  explicit typist(std::uint16_t port) : server_{port} {}

  void type(const std::string& line) { server_.write_all(line + "\n"); }
  std::string hear() { return server_.read_line(); }
  void hears(const std::string& wanted) { BOOST_TEST(hear() == wanted); }
  void goes_by(const std::string& name) {
    BOOST_TEST(hear().starts_with("* welcome, guest"));
    type("/nick " + name);
    BOOST_TEST(hear().ends_with(" is now " + name));
  }
  std::string hear_the_end() { return server_.read_to_end(); }

private:
  peer server_;
};

struct serving {
  program server{"chat", {"--serve"}};
  std::uint16_t port = port_of(server);

  void ends_after(int signal) {
    server.send_signal(signal);
    BOOST_TEST(server.exit_code() == 0);
    BOOST_TEST(server.error_text() == "");
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(chat_, *boost::unit_test::label("sample"))

BOOST_AUTO_TEST_CASE(the_demo_says_what_has_happened_and_ends_by_itself) {
  program chat{"chat"};
  std::vector<std::string> lines = chat.lines();
  BOOST_TEST(chat.exit_code() == 0);
  BOOST_TEST(chat.error_text() == "");
  BOOST_REQUIRE(lines.size() == 46U);
  BOOST_TEST(lines[0] == "ann < * welcome, guest1: /join ROOM, /nick NAME, /who, /quit");
  BOOST_TEST(lines[20] == "bob < ann: Hello, Bob.");
  BOOST_TEST(lines[22] == "bob < * here: ann bob");
  BOOST_TEST(lines[44] == "ann < * dan was too slow");
  BOOST_TEST(lines[45] == "chat: 4 guests, 2 rooms, 1 too slow: ok");
}

BOOST_AUTO_TEST_CASE(all_in_a_room_hear_each_line_once_and_in_order) {
  serving chat;
  typist ann{chat.port}, bob{chat.port}, eve{chat.port};
  ann.goes_by("ann");
  bob.goes_by("bob");
  eve.goes_by("eve");
  ann.type("/join one");
  ann.hears("* ann has come to one");
  bob.type("/join one");
  bob.hears("* bob has come to one");
  ann.hears("* bob has come to one");
  eve.type("/join two");
  eve.hears("* eve has come to two");
  for (int i = 0; i < 100; ++i) ann.type(std::to_string(i));
  for (int i = 0; i < 100; ++i) {
    ann.hears("ann: " + std::to_string(i));
    bob.hears("ann: " + std::to_string(i));
  }
  eve.type("alone");
  eve.hears("eve: alone");
  chat.ends_after(SIGINT);
}

BOOST_AUTO_TEST_CASE(a_name_is_one_guests_and_free_again_when_that_has_left) {
  serving chat;
  typist bob{chat.port};
  bob.goes_by("bob");
  bob.type("/join one");
  bob.hears("* bob has come to one");
  {
    typist ann{chat.port};
    ann.goes_by("ann");
    ann.type("/join one");
    ann.hears("* ann has come to one");
    bob.hears("* ann has come to one");
    bob.type("/nick ann");
    bob.hears("* ann is somebody else");
    ann.type("/quit");
    BOOST_TEST(ann.hear_the_end() == "* bye\n");
  }
  bob.hears("* ann has left");
  bob.type("/nick ann");
  bob.hears("* bob is now ann");
  bob.type("/who");
  bob.hears("* here: ann");
  chat.ends_after(SIGTERM);
}

BOOST_AUTO_TEST_CASE(what_is_no_command_or_no_name_is_said) {
  serving chat;
  typist ann{chat.port};
  ann.goes_by("ann");
  ann.type("hello?");
  ann.hears("* nobody hears you: /join ROOM");
  ann.type("/who");
  ann.hears("* you are in no room: /join ROOM");
  ann.type("/dance");
  ann.hears("* there is no /dance: /join ROOM, /nick NAME, /who, /quit");
  ann.type("/nick two words");
  ann.hears("* a name has up to 20 letters");
  ann.type("/join");
  ann.hears("* a room has a name of up to 20 letters");
  chat.ends_after(SIGINT);
}

BOOST_AUTO_TEST_CASE(one_that_does_not_read_is_parted_with_and_the_others_are_told) {
  serving chat;
  typist ann{chat.port}, dan{chat.port};
  ann.goes_by("ann");
  dan.goes_by("dan");
  ann.type("/join one");
  ann.hears("* ann has come to one");
  dan.type("/join one");
  ann.hears("* dan has come to one");
  const std::string much(32 * 1024, 'z');
  bool was_told = false;
  for (int i = 0; i < 10'000 && !was_told; ++i) {
    ann.type(much);
    for (std::string line; line != "ann: " + much;) {
      line = ann.hear();
      was_told = was_told || line == "* dan was too slow";
    }
  }
  BOOST_TEST(was_told);
  ann.type("/who");
  ann.hears("* here: ann");
  chat.ends_after(SIGINT);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace samples
