// Short text tables for people: columns as wide as their widest cell.
#pragma once

#include <string>
#include <vector>

namespace drover::cli {

// Cells are made safe for a terminal when they are added.
class Table {
 public:
  explicit Table(std::vector<std::string> header);
  void add(std::vector<std::string> cells);
  bool is_empty() const { return rows_.size() <= 1; }
  std::string to_string() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace drover::cli
