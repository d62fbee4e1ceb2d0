#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace troupe::test {

/// A folder of its own, removed with all that is in it at the end.
class temp_dir {
public:
  temp_dir() {
    std::string name = std::filesystem::temp_directory_path() / "troupe-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) {
      throw std::system_error{errno, std::generic_category(), "mkdtemp"};
    }
    path_ = name;
  }
  ~temp_dir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  temp_dir(const temp_dir&) = delete;
  temp_dir& operator=(const temp_dir&) = delete;

  /// Returns: the path of what is called `name` in it.
  [[nodiscard]] std::string at(const std::string& name) const { return path_ / name; }

  /// Returns: how many entries it has.
  [[nodiscard]] std::size_t entry_count() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator{path_},
                                                  std::filesystem::directory_iterator{}));
  }

private:
  std::filesystem::path path_;
};

}  // namespace troupe::test
