#include "compose/yaml_events.h"

#include "base/text.h"
#include "compose/invalid.h"
#include "compose/yaml.h"

#include <libfyaml.h>

#include <map>
#include <new>

namespace drover::compose {
namespace {

struct DiagDeleter {
  void operator()(fy_diag* diag) const { fy_diag_destroy(diag); }
};

struct ParserDeleter {
  void operator()(fy_parser* parser) const { fy_parser_destroy(parser); }
};

struct EventDeleter {
  fy_parser* parser;
  void operator()(fy_event* event) const { fy_parser_event_free(parser, event); }
};

using Event = std::unique_ptr<fy_event, EventDeleter>;

std::string token_text(fy_token* token) {
  if (!token) return "";
  std::size_t length = 0;
  const char* text = fy_token_get_text(token, &length);
  return text ? std::string(text, length) : "";
}

// Collects what is reported about the text. libfyaml's own messages would go to standard error: they go nowhere.
fy_diag* make_diag() {
  fy_diag_cfg config = {};
  fy_diag_cfg_default(&config);
  config.fp = nullptr;
  config.output_fn = [](fy_diag*, void*, const char*, std::size_t) {};
  return fy_diag_create(&config);
}

// Turns events into tables. Nesting is a stack of indexes, so a deep document cannot exhaust the machine's stack.
class EventReader {
 public:
  EventReader(std::string_view text, const std::shared_ptr<const std::filesystem::path>& file)
      : file_(file), diag_(make_diag()) {
    if (!diag_) throw std::bad_alloc();
    fy_diag_set_collect_errors(diag_.get(), true);
    fy_parse_cfg config = {};
    // Plain parsing without libfyaml's own depth limit: yaml_depth_max is checked here and is the same for flow and block style.
    config.flags = static_cast<fy_parse_cfg_flags>(FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DISABLE_DEPTH_LIMIT | FYPCF_JSON_NONE);
    config.diag = diag_.get();
    parser_.reset(fy_parser_create(&config));
    if (!parser_ || fy_parser_set_string(parser_.get(), text.data(), text.size()) != 0) throw std::bad_alloc();
  }

  std::vector<RawDocument> read() {
    for (;;) {
      const Event event(fy_parser_parse(parser_.get()), EventDeleter{parser_.get()});
      if (!event) throw parse_error();
      if (event->type == FYET_STREAM_END) return std::move(documents_);
      take(event.get());
    }
  }

 private:
  Origin origin_of(fy_event* event) const {
    const fy_mark* mark = fy_event_start_mark(event);
    return mark ? Origin{file_, mark->line + 1, mark->column + 1} : Origin{file_, 0, 0};
  }

  Error parse_error() const {
    void* iterator = nullptr;
    const fy_diag_error* first = fy_diag_errors_iterate(diag_.get(), &iterator);
    if (!first) return invalid(Origin{file_, 0, 0}, "not valid YAML");
    const Origin origin{file_, first->line, first->column};
    return invalid(origin, "not valid YAML: " + printable(first->msg ? first->msg : "parse error"));
  }

  void take(fy_event* event) {
    switch (event->type) {
      case FYET_DOCUMENT_START:
        documents_.emplace_back();
        anchors_.clear();
        break;
      case FYET_SCALAR: add(event, RawNode::Kind::scalar); break;
      case FYET_ALIAS: add(event, RawNode::Kind::alias); break;
      case FYET_SEQUENCE_START: open_.push_back(add(event, RawNode::Kind::sequence)); break;
      case FYET_MAPPING_START: open_.push_back(add(event, RawNode::Kind::mapping)); break;
      case FYET_SEQUENCE_END:
      case FYET_MAPPING_END: open_.pop_back(); break;
      default: break;
    }
  }

  std::size_t add(fy_event* event, RawNode::Kind kind) {
    std::vector<RawNode>& nodes = documents_.back().nodes;
    RawNode node{.kind = kind, .is_plain = false, .tag = "", .text = "", .children = {}, .target = 0, .origin = origin_of(event)};
    if (++count_ > yaml_nodes_max) throw invalid(node.origin, "more than " + std::to_string(yaml_nodes_max) + " nodes");
    if (open_.size() >= static_cast<std::size_t>(yaml_depth_max))
      throw invalid(node.origin, "nested more than " + std::to_string(yaml_depth_max) + " levels deep");
    const std::size_t index = nodes.size();
    if (kind == RawNode::Kind::alias) {
      node.text = token_text(event->alias.anchor);
      --node.origin.column;  // the mark is behind the star
      const auto anchor = anchors_.find(node.text);
      if (anchor == anchors_.end()) throw invalid(node.origin, "alias *" + printable(node.text, 80) + " has no anchor before it");
      node.target = anchor->second;
    } else {
      node.tag = token_text(fy_event_get_tag_token(event));  // with its prefix: !!str is tag:yaml.org,2002:str
      if (kind == RawNode::Kind::scalar) {
        node.text = token_text(event->scalar.value);
        const fy_scalar_style style = event->scalar.value ? fy_token_scalar_style(event->scalar.value) : FYSS_PLAIN;
        node.is_plain = style == FYSS_PLAIN;
        if (style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) --node.origin.column;  // the mark is behind the quote
      }
      if (fy_token* anchor = fy_event_get_anchor_token(event)) anchors_[token_text(anchor)] = index;
    }
    if (!open_.empty()) nodes[open_.back()].children.push_back(index);
    nodes.push_back(std::move(node));
    return index;
  }

  std::shared_ptr<const std::filesystem::path> file_;
  std::unique_ptr<fy_diag, DiagDeleter> diag_;
  std::unique_ptr<fy_parser, ParserDeleter> parser_;
  std::vector<RawDocument> documents_;
  std::vector<std::size_t> open_;               // the collections around the next event
  std::map<std::string, std::size_t> anchors_;  // latest by name, in this document
  std::size_t count_ = 0;
};

}  // namespace

std::vector<RawDocument> read_yaml_events(std::string_view text, const std::shared_ptr<const std::filesystem::path>& file) {
  return EventReader(text, file).read();
}

}  // namespace drover::compose
