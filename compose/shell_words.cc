#include "compose/shell_words.h"

namespace drover::compose {
namespace {

bool is_between_words(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// One pass over the text; a quote of another kind inside a quote is plain text.
class ShellWords {
 public:
  // False when the text is refused.
  bool read(std::string_view text) {
    for (const char c : text) {
      if (is_at_end_) break;
      if (!take(c)) return false;
    }
    finish_word();
    return !is_escaped_ && !is_single_ && !is_double_ && !is_back_ && !is_dollar_;
  }

  std::vector<std::string> words;

 private:
  bool is_in_code() const { return is_back_ || is_dollar_; }
  bool is_quoted() const { return is_single_ || is_double_ || is_in_code(); }

  void append(char c) {
    word_ += c;
    has_word_ = true;
  }

  void finish_word() {
    if (has_word_) words.push_back(word_);
    word_.clear();
    has_word_ = false;
  }

  bool take(char c) {
    if (is_escaped_) {
      word_ += c;
      is_escaped_ = false;
      has_word_ = true;
      return true;
    }
    if (c == '\\' && !is_single_) {
      is_escaped_ = true;
      return true;
    }
    if (c == '\\') {
      word_ += c;
      return true;
    }
    if (is_between_words(c)) {
      if (is_quoted()) {
        word_ += c;
      } else {
        finish_word();
      }
      return true;
    }
    return take_special(c);
  }

  bool take_special(char c) {
    switch (c) {
    case '`':
      if (!is_single_ && !is_double_ && !is_dollar_) is_back_ = !is_back_;
      break;
    case ')':
      if (!is_single_ && !is_double_ && !is_back_) is_dollar_ = !is_dollar_;
      break;
    case '(':
      if (is_single_ || is_double_ || is_back_) break;
      if (is_dollar_ || !word_.ends_with('$')) return false;
      is_dollar_ = true;
      word_ += c;
      return true;
    case '"':
      if (is_single_ || is_dollar_) break;
      if (is_double_) has_word_ = true;
      is_double_ = !is_double_;
      return true;
    case '\'':
      if (is_double_ || is_dollar_) break;
      if (is_single_) has_word_ = true;
      is_single_ = !is_single_;
      return true;
    case ';':
    case '&':
    case '|':
    case '<':
    case '>':
      if (is_quoted()) break;
      if (c == '>' && !word_.empty() && word_[0] >= '0' && word_[0] <= '9') has_word_ = false;  // the 2 of 2>file
      is_at_end_ = true;
      return true;
    default:
      break;
    }
    append(c);
    return true;
  }

  std::string word_;
  bool has_word_ = false;  // an empty word in quotes is a word
  bool is_at_end_ = false;
  bool is_escaped_ = false;
  bool is_single_ = false;
  bool is_double_ = false;
  bool is_back_ = false;
  bool is_dollar_ = false;
};

}  // namespace

std::optional<std::vector<std::string>> split_shell_words(std::string_view text) {
  ShellWords reader;
  if (!reader.read(text)) return std::nullopt;
  return std::move(reader.words);
}

}  // namespace drover::compose
