#pragma once

#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

#include <model/model.hpp>

#include <troupe/base/assert.hpp>

// The command line of a model, and what its violations and sites look like.

namespace troupe::model {

inline const char* name_of(std::memory_order order) { return rl::format(to_relacy(order)); }

inline std::memory_order order_named(std::string_view name) {
  for (auto order : {std::memory_order_relaxed, std::memory_order_acquire,
                     std::memory_order_release, std::memory_order_acq_rel}) {
    if (name == name_of(order)) return order;
  }
  std::fprintf(stderr, "no order is called '%.*s'\n", static_cast<int>(name.size()), name.data());
  std::exit(2);
}

// The next weaker orders; whoever shows that these do not do has shown it for those below too.
inline std::string weaker_than(const site_table::asked& asked) {
  switch (asked.order) {
    case std::memory_order_seq_cst:
      if (asked.how == access::load) return R"("acquire")";
      return asked.how == access::store ? R"("release")" : R"("acq_rel")";
    case std::memory_order_acq_rel:
      return R"("acquire", "release")";
    default:
      return R"("relaxed")";
  }
}

inline void print_sites() {
  for (const auto& [where, asked] : sites.reached) {
    std::printf(
        "{\"file\": \"%s\", \"line\": %u, \"column\": %u, \"part\": \"%s\", "
        "\"order\": \"%s\", \"weaker\": [%s]}\n",
        std::string{where.file}.c_str(), where.line, where.column,
        where.on_failure ? "failure" : "", name_of(asked.order), weaker_than(asked).c_str());
  }
}

// FILE:LINE:COLUMN[:failure]=ORDER
inline void weaken(std::string_view text) {
  auto cut_last = [&](char mark) {
    std::size_t at = text.rfind(mark);
    if (at == std::string_view::npos) std::exit(2);
    std::string_view last = text.substr(at + 1);
    text = text.substr(0, at);
    return last;
  };
  sites.weakening = true;
  sites.weaker = order_named(cut_last('='));
  std::string_view last = cut_last(':');
  sites.weakened.on_failure = last == "failure";
  if (sites.weakened.on_failure) last = cut_last(':');
  auto number = [](std::string_view digits) {
    return static_cast<std::uint32_t>(std::strtoul(std::string{digits}.c_str(), nullptr, 10));
  };
  sites.weakened.column = number(last);
  sites.weakened.line = number(cut_last(':'));
  sites.weakened_file = text;
  sites.weakened.file = sites.weakened_file;
}

inline options parse(int argc, char** argv) {
  options chosen;
  for (int i = 1; i < argc; ++i) {
    std::string_view name = argv[i];
    if (name == "--sites") {
      sites.listing = true;
      continue;
    }
    if (name == "--history" || name == "--list") {
      (name == "--list" ? chosen.listing : chosen.history) = true;
      continue;
    }
    const char* value = i + 1 < argc ? argv[++i] : "";
    if (name == "--schedules") {
      chosen.schedules = std::strtoull(value, nullptr, 10);
    } else if (name == "--seed") {
      chosen.seed = std::strtoull(value, nullptr, 10);
    } else if (name == "--scheduler") {
      chosen.bound = std::string_view{value} == "bound";
    } else if (name == "--switches") {
      chosen.switches = static_cast<unsigned>(std::strtoul(value, nullptr, 10));
    } else if (name == "--scenario") {
      chosen.only = value;
    } else if (name == "--weaken") {
      weaken(value);
    } else {
      std::fprintf(
          stderr,
          "options: --schedules N, --seed N (of the first schedule), --scheduler random or "
          "bound, --switches N (of bound), --scenario NAME, --sites, --weaken SITE=ORDER, "
          "--history, --list (the scenarios)\n");
      std::exit(2);
    }
  }
  return chosen;
}

inline std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char each : text) {
    if (each == '"' || each == '\\') out += '\\';
    out += each;
  }
  return out + '"';
}

inline int run(
    const char* model, int argc, char** argv,
    std::initializer_list<std::pair<const char*, outcome (*)(const options&)>> scenarios) {
  options chosen = parse(argc, argv);
  bool failed = false, found = false;
  for (const auto& [name, scenario] : scenarios) {
    if (!chosen.only.empty() && chosen.only != name) continue;
    found = true;
    if (chosen.listing) {
      std::printf("%s\n", name);
      continue;
    }
    outcome result = scenario(chosen);
    if (!sites.listing) {
      std::string violation = result.violation.empty() ? "null" : quoted(result.violation);
      std::printf(
          "{\"model\": \"%s\", \"scenario\": \"%s\", \"scheduler\": \"%s\", "
          "\"schedules\": %llu, \"seconds\": %.2f, \"violation\": %s}\n",
          model, name, chosen.bound ? "bound" : "random",
          static_cast<unsigned long long>(result.schedules), result.seconds, violation.c_str());
      std::fflush(stdout);
    }
    failed |= !result.violation.empty();
    if (failed) break;
  }
  if (sites.listing) print_sites();
  if (!found) std::fprintf(stderr, "no scenario is called '%s'\n", chosen.only.c_str());
  return failed || !found ? 1 : 0;
}

}  // namespace troupe::model

namespace troupe::inline v0_1 {

// A broken assertion and a misuse are violations.
[[noreturn]] inline void end_model(const char* text, const char* file, int line) {
  rl::ctx().fail_test(text, rl::test_result_user_assert_failed,
                      {"", file, static_cast<unsigned>(line)});
  std::abort();
}

inline void misuse(const char* text, std::source_location where) {
  end_model(text, where.file_name(), static_cast<int>(where.line()));
}

namespace detail {
// Nobody tells of a turn here: the places are those of the model. For sources that are linked.
[[gnu::used]] inline turn_teller::turn_teller(function tell) noexcept
    : tell_{tell}, next_{nullptr} {}
[[gnu::used]] inline void append_place(std::string& text, std::source_location where) {
  text += where.file_name();
}
inline void assertion_failed(const char* file, int line, const char* condition) noexcept {
  end_model(condition, file, line);
}
}  // namespace detail

}  // namespace troupe::inline v0_1
