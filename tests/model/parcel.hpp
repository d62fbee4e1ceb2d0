#pragma once

#include <model/model.hpp>

namespace troupe::model {

/// A value that is handed over: alive in one place at a time, read by whoever has it.
class parcel {
public:
  explicit parcel(int content) : content_{content} { ++alive; }
  parcel(parcel&& other) noexcept : content_{other.read()} {
    ++alive;
    other.content_.write(0);
  }
  parcel& operator=(parcel&&) = delete;
  ~parcel() {
    content_.write(-1);
    --alive;
  }
  [[nodiscard]] int read() const { return content_.read(); }

  static inline int alive = 0;

private:
  plain<int> content_;
};

}  // namespace troupe::model
