// Client's tag lists (OCI distribution-spec v1.1, listing tags), page by page.
#include "base/text.h"
#include "registry/answer_headers.h"
#include "registry/client_impl.h"

#include <nlohmann/json.hpp>

#include <set>
#include <utility>

namespace drover::registry {
namespace {

using nlohmann::json;

constexpr std::uint64_t page_bytes_max = 4U << 20U;
constexpr int pages_max = 10'000;
// ECR and GitLab refuse more in a page.
constexpr std::size_t page_tags = 1000;
constexpr std::size_t tags_max = 2'000'000;  // 10,000 pages of honest registries stay far below; bounds memory for the others

// OCI distribution-spec v1.1: [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}
bool is_tag(std::string_view text) {
  if (text.empty() || text.size() > tag_bytes_max || text.front() == '.' || text.front() == '-') return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return is_alnum(c) || c == '_' || c == '.' || c == '-'; });
}

std::vector<std::string> parse_page(std::string_view body, const std::string& registry) {
  const json page = json::parse(body, nullptr, false);
  if (!page.is_object()) throw Error(ErrorCode::invalid, printable(registry, 120) + " sent a tag list that is no JSON object");
  std::vector<std::string> tags;
  const auto list = page.find("tags");
  if (list == page.end() || !list->is_array()) return tags;  // null: there are none
  for (const json& tag : *list) {
    if (tag.is_string() && is_tag(tag.get_ref<const std::string&>())) tags.push_back(tag.get<std::string>());
  }
  return tags;
}

// The tags of all pages, each once, in the registry's order.
class TagList {
 public:
  // How many of the page were new.
  std::size_t add(std::vector<std::string> page) {
    std::size_t added = 0;
    for (std::string& tag : page) {
      if (!known_.insert(tag).second) continue;
      tags_.push_back(std::move(tag));
      ++added;
    }
    return added;
  }

  std::size_t size() const { return tags_.size(); }
  std::vector<std::string> take() { return std::move(tags_); }

 private:
  std::set<std::string> known_;
  std::vector<std::string> tags_;
};

}  // namespace

std::vector<std::string> Client::list_tags(const Context& ctx, const Reference& repository) {
  const Source itself = impl_->sources.mirrors().find(ctx, repository).back();
  const Reference reference = repository.at(itself.site.registry, itself.repository);
  const std::string path = "/" + reference.repository() + "/tags/list?";
  std::string query = "n=" + std::to_string(page_tags);
  std::set<std::string> visited;
  TagList list;
  try {
    for (int pages = 0; pages < pages_max && list.size() < tags_max; ++pages) {
      if (!visited.insert(query).second) return list.take();  // a circle
      const Call call{.method = "GET", .target = path + query, .headers = {}, .body_bytes_max = page_bytes_max};
      const Answer answer = impl_->with_retries(ctx, [&] {
        Answer page = impl_->session.send(ctx, reference, impl_->hosts.endpoint(ctx, itself.site, {}), call);
        if (!page.is_good()) throw impl_->session.refuse(ctx, page, reference);
        return page;
      });
      refuse_web_page(repository, answer.url.authority(), content_type(answer.head.headers));
      std::vector<std::string> tags = parse_page(answer.body, repository.registry());
      const std::size_t count = tags.size();
      const std::string last = tags.empty() ? std::string() : tags.back();
      const std::size_t added = list.add(std::move(tags));
      query = next_page_query(answer.head.headers.find("link").value_or(""));
      if (query.empty() && count >= page_tags) query = "n=" + std::to_string(page_tags) + "&last=" + percent_encode(last);  // Nexus: no Link
      if (query.empty() || (added == 0 && count > 0)) return list.take();
    }
    throw Error(ErrorCode::invalid, printable(repository.registry(), 120) + " sends tag pages without end");
  } catch (Error& error) {
    if (error.code() != ErrorCode::interrupted) error.add_frame("cannot list the tags of " + repository.name());
    throw;
  }
}

}  // namespace drover::registry
