#include <actors/routers.hpp>

#include <algorithm>

#include <troupe/pal/random.hpp>

namespace troupe::inline v0_1::actors {

namespace {

std::uint64_t mixed(std::uint64_t number) noexcept { return pal::random{number}.next(); }

}  // namespace

void hash_ring::resize(std::size_t workers) {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> points;
  points.reserve(workers * points_each);
  for (std::size_t worker = 0; worker < workers; ++worker) {
    pal::random places{mixed(worker)};
    for (std::size_t i = 0; i < points_each; ++i) {
      points.emplace_back(places.next(), static_cast<std::uint32_t>(worker));
    }
  }
  std::sort(points.begin(), points.end());
  points_ = std::move(points);
}

std::size_t hash_ring::worker_of(std::uint64_t number) const noexcept {
  std::uint64_t place = mixed(number);
  auto next = std::lower_bound(
      points_.begin(), points_.end(), place,
      [](const auto& point, std::uint64_t wanted) { return point.first < wanted; });
  return next == points_.end() ? points_.front().second : next->second;
}

}  // namespace troupe::inline v0_1::actors
