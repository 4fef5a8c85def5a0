#include "engine/timestamp.h"

#include "base/text.h"

#include <cstdint>
#include <cstdio>

namespace drover::engine {
namespace {

using namespace std::chrono;

// Takes fixed parts off the front of a text; once one is not there, is_good() stays false.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  int number(std::size_t digits, int value_max) {
    const auto value = parse_uint(rest_.substr(0, digits));
    is_good_ = is_good_ && rest_.size() >= digits && value && *value <= static_cast<unsigned>(value_max);
    if (!is_good_) return 0;
    rest_.remove_prefix(digits);
    return static_cast<int>(*value);
  }

  bool try_take(std::string_view any_of) {
    if (rest_.empty() || any_of.find(rest_.front()) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void take(std::string_view any_of) { is_good_ = try_take(any_of) && is_good_; }

  // ".123456789", or nothing at all.
  nanoseconds fraction() {
    if (!try_take(".")) return {};
    std::int64_t value = 0;
    std::size_t digits = 0;
    for (; !rest_.empty() && is_digit(rest_.front()); rest_.remove_prefix(1), ++digits) {
      if (digits < 9) value = value * 10 + (rest_.front() - '0');
    }
    is_good_ = is_good_ && digits > 0;
    for (; digits < 9; ++digits) value *= 10;
    return nanoseconds(value);
  }

  minutes offset() {
    if (try_take("Zz")) return {};
    const bool is_west = try_take("-");
    if (!is_west) take("+");
    const hours whole(number(2, 23));
    take(":");
    const minutes span = whole + minutes(number(2, 59));
    return is_west ? -span : span;
  }

  bool is_good() const { return is_good_; }
  bool is_at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool is_good_ = true;
};

year_month_day read_date(Reader& reader) {
  const year y{reader.number(4, 9999)};
  reader.take("-");
  const month m{static_cast<unsigned>(reader.number(2, 12))};
  reader.take("-");
  return {y, m, day{static_cast<unsigned>(reader.number(2, 31))}};
}

seconds read_time(Reader& reader) {
  const hours h{reader.number(2, 23)};
  reader.take(":");
  const minutes m{reader.number(2, 59)};
  reader.take(":");
  return h + m + seconds(reader.number(2, 60));
}

}  // namespace

std::optional<Timestamp> parse_timestamp(std::string_view text) {
  Reader reader(text);
  const year_month_day date = read_date(reader);
  reader.take("Tt ");
  const seconds time = read_time(reader);
  const nanoseconds fraction = reader.fraction();
  const minutes offset = reader.offset();
  constexpr year first{1678};
  constexpr year last{2261};
  const bool is_moment = reader.is_good() && reader.is_at_end() && date.ok() && date.year() >= first && date.year() <= last;
  if (!is_moment) return std::nullopt;
  return Timestamp(sys_days(date)) + time + fraction - offset;
}

std::string to_seconds_text(Timestamp time) {
  const auto whole = floor<seconds>(time);
  char text[48];
  std::snprintf(text, sizeof text, "%lld.%09lld", static_cast<long long>(whole.time_since_epoch().count()),
                static_cast<long long>((time - whole).count()));
  return text;
}

}  // namespace drover::engine
