#include "registry/challenge.h"

#include "base/text.h"

#include <algorithm>

namespace drover::registry {
namespace {

bool is_token_char(char c) { return is_alnum(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos; }

// One header's text, eaten from the front.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  void skip_separators() { skip([](char c) { return c == ' ' || c == '\t' || c == ','; }); }
  void skip_spaces() { skip([](char c) { return c == ' ' || c == '\t'; }); }
  bool is_at_end() const { return text_.empty(); }

  bool take(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }

  std::string_view take_token() { return take_while(is_token_char); }

  // Behind '=': a quoted string or anything up to a comma or space. Nothing when a quoted string does not end.
  std::optional<std::string> take_value() {
    if (!take('"')) return std::string(take_while([](char c) { return c != ',' && c != ' ' && c != '\t'; }));
    std::string value;
    while (!text_.empty()) {
      const char c = text_.front();
      text_.remove_prefix(1);
      if (c == '"') return value;
      if (c == '\\' && !text_.empty()) {
        value += text_.front();
        text_.remove_prefix(1);
      } else {
        value += c;
      }
    }
    return std::nullopt;
  }

  // A token68 ("Negotiate YII=="), which stands alone between its scheme and the next comma; of no use to us.
  void skip_token68() {
    const std::size_t end = std::min(text_.find(','), text_.size());
    const std::string_view word = trim(text_.substr(0, end));
    const std::size_t letters = std::min(word.find('='), word.size());
    const bool is_padded = word.find_first_not_of('=', letters) == std::string_view::npos;
    const bool is_word = std::all_of(word.begin(), word.begin() + static_cast<std::ptrdiff_t>(letters),
                                     [](char c) { return is_alnum(c) || std::string_view("-._~+/").find(c) != std::string_view::npos; });
    if (letters > 0 && is_word && is_padded && (letters < word.size() || end == text_.size())) text_.remove_prefix(end);
  }

  // What cannot be understood: on to the next comma.
  void skip_junk() { text_.remove_prefix(std::min(text_.find(','), text_.size())); }

 private:
  template <typename Predicate>
  void skip(Predicate wanted) {
    while (!text_.empty() && wanted(text_.front())) text_.remove_prefix(1);
  }

  template <typename Predicate>
  std::string_view take_while(Predicate wanted) {
    const auto end = std::find_if_not(text_.begin(), text_.end(), wanted);
    const std::string_view taken = text_.substr(0, static_cast<std::size_t>(end - text_.begin()));
    text_.remove_prefix(taken.size());
    return taken;
  }

  std::string_view text_;
};

void read_header(std::string_view text, std::vector<Challenge>& challenges) {
  Reader reader(text);
  bool has_scheme = false;  // of this header: a parameter in front of any scheme belongs to nobody
  for (;;) {
    reader.skip_separators();
    if (reader.is_at_end()) return;
    const std::string_view word = reader.take_token();
    if (word.empty()) {
      reader.take('=');
      reader.skip_junk();
      continue;
    }
    reader.skip_spaces();
    if (!reader.take('=')) {
      if (challenges.size() == challenges_max) return;
      challenges.push_back({to_lower(word), {}});
      has_scheme = true;
      reader.skip_token68();
      continue;
    }
    reader.skip_spaces();
    std::optional<std::string> value = reader.take_value();
    if (!value) return;
    if (!has_scheme || challenges.back().parameters.size() == challenge_parameters_max) continue;
    challenges.back().parameters.try_emplace(to_lower(word), std::move(*value));
  }
}

}  // namespace

std::string_view Challenge::parameter(std::string_view name) const {
  const auto found = parameters.find(std::string(name));
  return found == parameters.end() ? std::string_view() : std::string_view(found->second);
}

std::vector<Challenge> parse_challenges(std::span<const std::string_view> headers) {
  std::vector<Challenge> challenges;
  std::size_t bytes_left = challenge_bytes_max;
  for (const std::string_view header : headers) {
    if (header.size() > bytes_left) break;
    bytes_left -= header.size();
    read_header(header, challenges);
  }
  return challenges;
}

const Challenge* find_challenge(std::span<const Challenge> challenges, std::string_view scheme) {
  const auto found = std::find_if(challenges.begin(), challenges.end(), [&](const Challenge& c) { return c.scheme == scheme; });
  return found == challenges.end() ? nullptr : &*found;
}

}  // namespace drover::registry
