// Containers that go: orphans, one replica too many, what an earlier run left over; and, as the commit, all that was replaced.
#include "base/text.h"
#include "compose/labels.h"
#include "compose/plan_draft.h"

namespace drover::compose {
namespace {

using engine::ContainerDetails;

// Its own name, or that of the slot where it is kept for.
std::string resource_of(const ContainerDetails& container) {
  return "container " + container.name;
}

void write_stop(PlanDraft& draft, const ContainerDetails& container, const std::string& group, const std::string& cause) {
  if (!container.state.is_running || draft.stop_of.contains(container.id)) return;
  draft.stop_of[container.id] = draft.builder.add(
      Phase::swap,
      {.action = StopContainer{.container = {.id = container.id}, .timeout = draft.situation.options->stop_timeout},
       .resource = resource_of(container),
       .cause = cause,
       .group = group});
}

// Out of the way of the container that is to have the name.
void write_release(PlanDraft& draft, const ContainerDetails& container, const std::string& group) {
  if (!draft.names_needed.contains(container.name) || draft.release_of.contains(container.name)) return;
  draft.release_of[container.name] =
      draft.builder.add(Phase::swap,
                        {.action = RenameContainer{{.id = container.id}, container.name, kept_name(container.name, container)},
                         .resource = resource_of(container),
                         .cause = "its name is needed",
                         .group = group});
}

void write_removal(PlanDraft& draft,
                   const ContainerDetails& container,
                   const std::string& resource,
                   const std::string& group,
                   const std::string& cause) {
  draft.builder.add(Phase::commit,
                    {.action = RemoveContainer{.container = {.id = container.id}},
                     .resource = resource,
                     .cause = cause,
                     .group = group,
                     .is_destructive = true,
                     .is_commit = true});
}

constexpr std::string_view surplus_cause = "one too many in its place";

std::string orphan_cause(const ContainerDetails& container) {
  return is_one_off(container) ? "a one-off that is over" : "the project has no service " + label_of(container, service_label);
}

}  // namespace

void write_orphan_steps(PlanDraft& draft) {
  for (const ContainerDetails* orphan : draft.orphans) {
    write_stop(draft, *orphan, label_of(*orphan, service_label), orphan_cause(*orphan));
    write_release(draft, *orphan, label_of(*orphan, service_label));
  }
  for (const ServiceWork& work : draft.works) {
    for (const SlotWork& slot : work.slots) {
      for (const ContainerDetails* each : slot.slot.surplus) {
        write_stop(draft, *each, work.service->name, std::string(surplus_cause));
        write_release(draft, *each, work.service->name);
      }
      if (slot.fate == Fate::remove && slot.old) write_release(draft, *slot.old, work.service->name);
    }
  }
  if (draft.situation.options->remove_orphans || draft.situation.options->passes_over_orphans) return;
  for (const ContainerDetails* orphan : draft.situation.orphans)
    if (!is_one_off(*orphan))
      draft.builder.note("container " + orphan->name + ": " + orphan_cause(*orphan) + "; --remove-orphans removes it");
}

void write_removals(PlanDraft& draft) {
  for (const ServiceWork& work : draft.works) {
    for (const SlotWork& slot : work.slots) {
      const std::string cause = slot.fate == Fate::swap ? "replaced by #" + std::to_string(slot.created) : slot.cause;
      if (slot.old) write_removal(draft, *slot.old, compose::resource_of(slot), work.service->name, cause);
      for (const ContainerDetails* each : slot.slot.surplus)
        write_removal(draft, *each, resource_of(*each), work.service->name, std::string(surplus_cause));
    }
  }
  for (const ContainerDetails* orphan : draft.orphans)
    write_removal(draft, *orphan, resource_of(*orphan), label_of(*orphan, service_label), orphan_cause(*orphan));
}

}  // namespace drover::compose
