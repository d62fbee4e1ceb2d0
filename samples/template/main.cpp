// A program with one actor: asks it to greet each name on the command line.

#include <string>
#include <vector>

#include <fmt/core.h>

#include <troupe/runtime/run.hpp>

#include "greeter.hpp"

namespace {

troupe::task<> main_task(std::vector<std::string> names) {
  auto host = troupe::spawn<greeter>();
  for (const std::string& name : names) {
    std::string greeting = co_await host.ask<greet>(name);
    fmt::print("{}\n", greeting);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> names(argv + 1, argv + argc);
  return troupe::run(main_task, names);
}
