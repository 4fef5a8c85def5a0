// Random projects before and after a change: what has to hold of every plan, and of every plan that is cut off.
#include "tests/compose/reconcile_case.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <random>
#include <set>

using namespace drover;
using namespace drover::compose;

BOOST_AUTO_TEST_SUITE(reconcile_random)

namespace {

constexpr int services_max = 6;
constexpr unsigned seeds = 15;   // DROVER_TEST_SEEDS=1-600 for more, by hand
constexpr int cuts_of_plan = 3;  // of each, besides the whole

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}

  int below(int limit) { return static_cast<int>(engine_() % static_cast<unsigned>(limit)); }

  bool one_in(int count) { return below(count) == 0; }

 private:
  std::mt19937 engine_;  // the same numbers on every machine
};

struct ServiceText {
  int image = 1;
  int scale = 1;
  int port = 0;
  int address = 0;
  int variable = 0;
  int named = 0;  // container_name
  bool has_check = false;
  bool has_volume = false;
  bool is_start_first = false;
  bool is_in_back = false;
  bool is_in_back_alone = false;
  bool writes_config = false;
  int shares = -1;      // network_mode: service:s<shares>
  int volumes_of = -1;  // volumes_from
  int links = -1;
  std::vector<std::pair<int, bool>> depends_on = {};  // which, restart
};

using Model = std::vector<std::optional<ServiceText>>;  // by number

ServiceText random_service(Random& random, int number, const Model& earlier) {
  ServiceText text{.image = 1 + random.below(3)};
  const auto pick = [&] {
    const int other = number == 0 ? -1 : random.below(number);
    return other >= 0 && earlier[static_cast<std::size_t>(other)] ? other : -1;
  };
  text.has_check = random.one_in(3);
  text.has_volume = random.one_in(3);
  text.writes_config = random.one_in(5);
  if (random.one_in(4)) text.shares = pick();
  if (random.one_in(5)) text.volumes_of = pick();
  if (const int other = pick(); random.one_in(2) && other >= 0) text.depends_on.emplace_back(other, random.one_in(3));
  if (text.shares >= 0) return text;
  if (random.one_in(5)) text.links = pick();
  text.is_in_back = random.one_in(3);
  text.is_in_back_alone = random.one_in(2);
  text.is_start_first = random.one_in(4);
  if (random.one_in(3)) text.port = number + 1;
  if (text.is_in_back && random.one_in(2)) text.address = number + 1;
  if (random.one_in(6)) text.named = number + 1;
  if (text.port == 0 && text.address == 0 && text.named == 0 && random.one_in(4)) text.scale = 1 + random.below(3);
  return text;
}

Model random_model(Random& random) {
  Model model;
  const int count = 1 + random.below(services_max);
  for (int i = 0; i < count; ++i) model.push_back(random_service(random, i, model));
  return model;
}

// Whose container others share cannot vanish.
bool is_needed(const Model& model, int number) {
  return std::any_of(model.begin(), model.end(), [&](const auto& text) {
    return text && (text->shares == number || text->volumes_of == number);
  });
}

Model mutated(Random& random, Model model) {
  for (std::size_t i = 0; i < model.size(); ++i) {
    if (!model[i]) continue;
    ServiceText& text = *model[i];
    if (random.one_in(3)) text.image = 1 + random.below(3);
    if (random.one_in(4)) text.variable += 1;
    if (random.one_in(5) && text.scale > 1) text.scale = 1 + random.below(3);
    if (random.one_in(6)) text.has_check = !text.has_check;
    if (random.one_in(8) && model.size() > 1 && !is_needed(model, static_cast<int>(i))) model[i].reset();
  }
  // Ports and names move from one service to another.
  for (int round = 0; round < 2; ++round) {
    auto& a = model[static_cast<std::size_t>(random.below(static_cast<int>(model.size())))];
    auto& b = model[static_cast<std::size_t>(random.below(static_cast<int>(model.size())))];
    if (!a || !b || a->shares >= 0 || b->shares >= 0 || a->scale > 1 || b->scale > 1) continue;
    std::swap(a->port, b->port);
    if (random.one_in(3)) std::swap(a->named, b->named);
    if (a->is_in_back && b->is_in_back && random.one_in(3)) std::swap(a->address, b->address);
  }
  return model;
}

// Of the network `back`.
struct BackText {
  bool has_ipv6 = false;
  int subnet = 0;
};

BackText random_back(Random& random) {
  return {.has_ipv6 = random.one_in(3), .subnet = random.below(3) == 0 ? 1 : 0};
}

std::string text_of(const ServiceText& service, int number, const Model& model, const std::string& subnet) {
  const auto is_there = [&](int other) { return other >= 0 && model[static_cast<std::size_t>(other)].has_value(); };
  std::string text = "  s" + std::to_string(number) + ":\n    image: app:" + std::to_string(service.image) +
                     "\n    scale: " + std::to_string(service.scale) + "\n";
  if (service.variable > 0) text += "    environment: {V: \"" + std::to_string(service.variable) + "\"}\n";
  if (service.named > 0) text += "    container_name: n" + std::to_string(service.named) + "\n";
  if (service.port > 0) text += "    ports: [\"808" + std::to_string(service.port) + ":80\"]\n";
  if (service.has_check) text += "    healthcheck: {test: x}\n";
  if (service.has_volume) text += "    volumes: [\"v" + std::to_string(number) + ":/data\", /cache]\n";
  if (service.writes_config) text += "    configs: [c]\n";
  if (service.is_start_first) text += "    deploy: {update_config: {order: start-first}}\n";
  if (is_there(service.links)) text += "    links: [s" + std::to_string(service.links) + "]\n";
  if (is_there(service.volumes_of)) text += "    volumes_from: [s" + std::to_string(service.volumes_of) + "]\n";
  if (is_there(service.shares)) {
    text += "    network_mode: service:s" + std::to_string(service.shares) + "\n";
  } else if (service.is_in_back) {
    const std::string address = service.address > 0 ? "ipv4_address: " + subnet + std::to_string(10 + service.address)
                                                    : "aliases: [a" + std::to_string(number) + "]";
    text += service.is_in_back_alone ? "    networks: {back: {" + address + "}}\n" : "    networks: {default: , back: {" + address + "}}\n";
  }
  std::string dependencies;
  for (const auto& [other, restart] : service.depends_on) {
    if (!is_there(other)) continue;
    const bool is_healthy = model[static_cast<std::size_t>(other)]->has_check;
    dependencies += "      s" + std::to_string(other) + ": {condition: " + (is_healthy ? "service_healthy" : "service_started") +
                    ", restart: " + (restart ? "true" : "false") + "}\n";
  }
  if (!dependencies.empty()) text += "    depends_on:\n" + dependencies;
  return text;
}

std::string text_of(const Model& model, const BackText& back) {
  const std::string subnet = "10.9." + std::to_string(back.subnet) + ".";
  std::string text = "configs: {c: {content: x}}\nnetworks:\n  default: \n  back: {ipam: {config: [{subnet: " + subnet +
                     "0/24}]}, enable_ipv6: " + std::string(back.has_ipv6 ? "true" : "false") + "}\nvolumes:\n";
  for (int i = 0; i < services_max; ++i) text += "  v" + std::to_string(i) + ": \n";
  text += "services:\n";
  for (std::size_t i = 0; i < model.size(); ++i)
    if (model[i]) text += text_of(*model[i], static_cast<int>(i), model, subnet);
  return text + "  last: {image: app:1}\n";
}

// Any order that the dependencies allow.
std::vector<int> some_order(Random& random, const Plan& plan) {
  std::vector<int> order;
  std::set<int> over;
  while (order.size() < plan.steps.size()) {
    std::vector<int> ready;
    for (const Step& step : plan.steps)
      if (!over.contains(step.id) &&
          std::all_of(step.depends_on.begin(), step.depends_on.end(), [&](int needed) { return over.contains(needed); }))
        ready.push_back(step.id);
    BOOST_REQUIRE(!ready.empty());
    order.push_back(ready[static_cast<std::size_t>(random.below(static_cast<int>(ready.size())))]);
    over.insert(order.back());
  }
  return order;
}

const Step& at(const Plan& plan, int id) {
  return plan.steps.at(static_cast<std::size_t>(id) - 1);
}

std::vector<std::set<int>> all_needs(const Plan& plan) {
  std::vector<std::set<int>> needs(plan.steps.size() + 1);
  for (const Step& step : plan.steps) {
    for (const int needed : step.depends_on) {
      BOOST_REQUIRE_LT(needed, step.id);
      needs[static_cast<std::size_t>(step.id)].insert(needed);
      if (!at(plan, needed).is_done)
        needs[static_cast<std::size_t>(step.id)].insert(needs[static_cast<std::size_t>(needed)].begin(),
                                                        needs[static_cast<std::size_t>(needed)].end());
    }
  }
  return needs;
}

template <typename Kind> bool is(const Step& step) {
  return std::holds_alternative<Kind>(step.action);
}

// Something that was there before.
bool touches(const Step& step) {
  if (const auto* leave = std::get_if<DisconnectNetwork>(&step.action)) return !leave->container.id.empty();
  return is<StopContainer>(step) || is<RestartContainer>(step) || is<RemoveNetwork>(step);
}

void check_order(const Plan& plan) {
  const std::vector<std::set<int>> needs = all_needs(plan);
  const auto waits = [&](const Step& step, const Step& needed) {
    return needed.is_done || needs[static_cast<std::size_t>(step.id)].contains(needed.id);
  };
  for (const Step& step : plan.steps) {
    if (step.is_done) continue;
    BOOST_TEST(!is<RemoveVolume>(step));
    for (const Step& other : plan.steps) {
      if (touches(step) && (is<CreateContainer>(other) || is<CreateVolume>(other) || is<WriteFile>(other)))
        BOOST_TEST(waits(step, other));
      if (step.is_commit && !other.is_commit) BOOST_TEST(waits(step, other));
    }
    if (is<RemoveContainer>(step)) BOOST_TEST((step.is_commit || step.cause == "left by a run that was cut off"));
  }
}

void check_names(const EngineModel& engine) {
  for (const std::string& name : engine.names()) {
    BOOST_TEST(name.ends_with(" running"), name);
    BOOST_TEST(name.find("-old-") == std::string::npos, name);
    BOOST_TEST(name.find('_') == std::string::npos, name);
  }
}

const UpOptions options{.remove_orphans = true};

void apply(EngineModel& engine, const Plan& plan, const std::vector<int>& order) {
  for (const int id : order) {
    try {
      engine.apply(at(plan, id));
    } catch (const std::exception& error) {
      throw std::runtime_error("step " + std::to_string(id) + ": " + error.what() + "\n" + to_text(plan));
    }
  }
}

Plan planned(Shop& shop, const std::string& text) {
  try {
    return shop.plan(text, options);
  } catch (const std::exception& error) {
    throw std::runtime_error(error.what() + ("\n" + text));
  }
}

// To the end, and nothing more is to be done then.
void finish(Shop& shop, const std::string& text, std::vector<std::string>* names = nullptr) {
  const Plan plan = planned(shop, text);
  check_order(plan);
  std::vector<int> order(plan.steps.size());
  std::iota(order.begin(), order.end(), 1);
  apply(shop.engine, plan, order);
  check_names(shop.engine);
  const Plan again = shop.plan(text, options);
  BOOST_TEST(again.steps.empty(), to_text(again));
  if (names) *names = shop.engine.names();
}

void cut_off(Random& random,
             const Shop& before,
             const Plan& plan,
             const std::string& text,
             const std::string& other_text,
             const std::vector<std::string>& names) {
  const std::vector<int> order = some_order(random, plan);
  std::set<std::size_t> cuts;
  for (int i = 0; i < cuts_of_plan && !order.empty(); ++i)
    cuts.insert(static_cast<std::size_t>(random.below(static_cast<int>(order.size()))));
  Shop shop = before;
  for (std::size_t cut = 0; cut < order.size(); apply(shop.engine, plan, {order[cut++]})) {
    if (!cuts.contains(cut)) continue;
    Shop resumed = shop;
    finish(resumed, text);
    BOOST_TEST(resumed.engine.names() == names, boost::test_tools::per_element());
    Shop changed = shop;
    finish(changed, other_text);
  }
}

void run(unsigned seed) {
  Random random(seed);
  const Model first = random_model(random);
  const Model second = mutated(random, first);
  const Model third = mutated(random, second);
  const std::string after = text_of(second, random_back(random));
  Shop shop;
  if (random.one_in(3)) shop.engine.api.minor = 41;
  shop.engine.set_image("app:2", "app:2", nlohmann::json::parse(R"({"Volumes": {"/cache": {}, "/other": {}}})"));
  shop.up(text_of(first, BackText()), options);
  check_names(shop.engine);
  const std::vector<std::string> volumes = shop.engine.volume_names();
  const Plan plan = shop.plan(after, options);
  Shop before = shop;
  std::vector<std::string> names;
  finish(shop, after, &names);
  for (const std::string& volume : volumes) BOOST_TEST(shop.engine.has_volume(volume));
  cut_off(random, before, plan, after, text_of(third, random_back(random)), names);
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_plan_and_every_cut_plan_ends_well) {
  unsigned first = 1;
  unsigned last = seeds;
  if (const char* range = std::getenv("DROVER_TEST_SEEDS")) std::sscanf(range, "%u-%u", &first, &last);
  for (unsigned seed = first; seed <= last; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      try {
        run(seed);
      } catch (const std::exception& error) {
        BOOST_ERROR("seed " << seed << ": " << error.what());
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
