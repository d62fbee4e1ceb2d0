#include <troupe/observe/snapshot.hpp>

#include <fmt/format.h>

#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <troupe/actor/all_actors.hpp>
#include <troupe/sched/blocking_pool.hpp>

namespace troupe::inline v0_1 {

namespace {

using detail::task_core;

std::string place(std::source_location where) {
  if (where.line() == 0) return "?";
  return fmt::format("{}:{}", where.file_name(), where.line());
}

std::string text_of(const char* name) { return name == nullptr ? std::string{} : name; }

std::string name_if_any(detail::actor_block* of) {
  return of == nullptr ? std::string{} : name_of_actor(*of);
}

task_report report_of(const task_core::record& seen) {
  task_report report;
  report.actor = name_if_any(seen.works_for);
  report.handles = text_of(seen.handles);
  report.spawned_at = place(seen.spawned_at);
  report.awaits = name_if_any(seen.awaited);
  report.suspended = seen.suspended;
  if (seen.suspended && seen.what != nullptr) {
    report.waits_for = seen.what;
    report.waits_at = place(seen.where);
  } else {
    report.waits_for = "it waits for nothing: it is running, or ready to";
  }
  return report;
}

actor_report report_of(const actor_sight& seen) {
  actor_report report;
  report.name = seen.name;
  report.class_name = text_of(seen.class_name);
  report.mail = seen.mail;
  report.capacity = seen.capacity;
  report.handles = text_of(seen.handles);
  report.waits_for = text_of(seen.waits_for);
  if (seen.waits_for != nullptr) report.waits_at = place(seen.waits_at);
  report.awaits = name_if_any(seen.awaits);
  return report;
}

std::string who(const task_report& report) {
  if (report.actor.empty()) return "task spawned at " + report.spawned_at;
  if (report.handles.empty()) {
    return fmt::format("a task of actor {}, spawned at {}", report.actor, report.spawned_at);
  }
  return fmt::format("on({}) of actor {}", report.handles, report.actor);
}

std::string wait_of(const std::string& what, const std::string& awaits, const std::string& where) {
  std::string text = "waits for " + what;
  if (!awaits.empty()) text += ", of actor " + awaits;
  return text + " at " + where;
}

std::string s_unless_one(std::size_t count) { return count == 1 ? "" : "s"; }

using edges = std::unordered_map<detail::actor_block*, detail::actor_block*>;

// Returns: the actors from `start` on, each waiting for the next; to the last one, or to the first
// that comes a second time.
std::vector<detail::actor_block*> chain_from(detail::actor_block* start, const edges& awaits) {
  std::vector<detail::actor_block*> chain{start};
  std::unordered_set<detail::actor_block*> seen{start};
  for (auto next = awaits.find(start); next != awaits.end(); next = awaits.find(next->second)) {
    chain.push_back(next->second);
    if (!seen.insert(next->second).second) break;
  }
  return chain;
}

// Chains that begin with an actor nobody waits for, then the cycles that are left.
void add_chains(std::string& text, const std::vector<actor_sight>& actors) {
  edges awaits;
  std::unordered_set<detail::actor_block*> awaited, told;
  for (const actor_sight& each : actors) {
    if (each.awaits == nullptr) continue;
    awaits.emplace(each.block, each.awaits);
    awaited.insert(each.awaits);
  }
  if (awaits.empty()) return;
  text += "who waits for whom:\n";
  for (bool cycles : {false, true}) {
    for (const actor_sight& each : actors) {
      bool is_due = awaits.contains(each.block) && awaited.contains(each.block) == cycles;
      if (!is_due || told.contains(each.block)) continue;
      auto chain = chain_from(each.block, awaits);
      text += "  ";
      for (std::size_t i = 0; i < chain.size(); ++i) {
        if (i > 0) text += " -> ";
        text += name_of_actor(*chain[i]);
        told.insert(chain[i]);
      }
      text += awaits.contains(chain.back()) ? " (a cycle)\n" : "\n";
    }
  }
}

}  // namespace

std::string to_string(const task_report& report) {
  if (report.waits_at.empty()) return fmt::format("{}: {}", who(report), report.waits_for);
  return who(report) + ": " + wait_of(report.waits_for, report.awaits, report.waits_at);
}

std::string to_string(const actor_report& report) {
  std::string text = report.name;
  if (report.name != report.class_name) text += " (" + report.class_name + ")";
  text += report.capacity == 0 ? std::string{": mailbox without a bound"}
                               : fmt::format(": mailbox {}/{}", report.mail, report.capacity);
  if (report.handles.empty()) return text;
  text += ", in on(" + report.handles + ")";
  if (report.waits_for.empty()) return text;
  return text + ", " + wait_of(report.waits_for, report.awaits, report.waits_at);
}

std::string to_string(const worker_sight& seen) {
  if (!seen.in_turn) return "idle";
  if (seen.task != nullptr) {
    task_core::record task = seen.task->look();
    std::string text = "in " + who(report_of(task));
    if (task.what != nullptr) text += ", resumed at " + place(task.where);
    return text;
  }
  if (seen.actor == nullptr) return "busy";
  return fmt::format("in on({}) of actor {}", text_of(seen.handles), name_of_actor(*seen.actor));
}

std::vector<task_report> tasks_of(const executor& exec) {
  std::vector<task_report> reports;
  task_core::for_each_live(exec, [&](task_core& task, const task_core::record& seen) {
    if (!task.done())
      reports.push_back(report_of(seen));  // Of one that is, only its handle is left.
  });
  return reports;
}

std::vector<task_report> survivors_of(const scheduler& of) {
  std::vector<task_report> reports = tasks_of(of);
  for (std::source_location where : of.blocking().places()) {
    task_report report;
    report.spawned_at = place(where);
    report.waits_for = "blocking work, which cannot be interrupted";
    reports.push_back(std::move(report));
  }
  return reports;
}

std::vector<actor_report> actors_of(const executor& exec) {
  std::vector<actor_report> reports;
  for (const actor_sight& seen : look_at_actors(exec)) reports.push_back(report_of(seen));
  return reports;
}

std::string dump(const scheduler& of) {
  std::string text;
  for (std::size_t i = 0; i < of.worker_count(); ++i) {
    text += fmt::format("worker {}: {}\n", i, to_string(of.look_at(i)));
  }
  auto actors = look_at_actors(of);
  text += fmt::format("{} actor{}\n", actors.size(), s_unless_one(actors.size()));
  for (const actor_sight& each : actors) text += "  " + to_string(report_of(each)) + "\n";
  auto tasks = survivors_of(of);
  text += fmt::format("{} task{}\n", tasks.size(), s_unless_one(tasks.size()));
  for (const task_report& each : tasks) text += "  " + to_string(each) + "\n";
  add_chains(text, actors);
  return text;
}

}  // namespace troupe::inline v0_1
