// The engine's answers in the shapes of several versions, and the members that any of them may lack.
#include "engine/containers.h"
#include "engine/disk_usage.h"
#include "engine/image_transfer.h"
#include "engine/images.h"
#include "engine/json_fields.h"
#include "engine/networks.h"
#include "engine/volumes.h"

#include <nlohmann/json.hpp>

#include <boost/test/unit_test.hpp>

using namespace drover;
using namespace drover::engine;
using nlohmann::json;

BOOST_AUTO_TEST_SUITE(resources)

namespace {

std::string seconds(const std::optional<Timestamp>& time) { return time ? to_seconds_text(*time) : "none"; }

// As 28.5 answers, shortened.
const char* const container_answer = R"({
  "Id": "abc", "Created": "2023-11-14T22:13:20.5Z", "Path": "/bin/sh", "Args": ["-c", "sleep 1"], "Image": "sha256:%",
  "ImageManifestDescriptor": {"digest": "sha256:%"}, "Name": "/web", "RestartCount": 2, "Driver": "overlay2", "Platform": "linux",
  "State": {"Status": "running", "Running": true, "Pid": 42, "ExitCode": 0, "StartedAt": "2023-11-14T22:13:21Z", "FinishedAt": "0001-01-01T00:00:00Z",
    "Health": {"Status": "healthy", "FailingStreak": 0, "Log": [{"Start": "2023-11-14T22:13:22+00:00", "End": "bad", "ExitCode": 1, "Output": "no"}]}},
  "Config": {"Image": "web:1", "Hostname": "h", "Env": ["A=1"], "Cmd": ["sleep", "1"], "Entrypoint": null, "Tty": true, "OpenStdin": false,
    "Labels": {"a": "b"}, "ExposedPorts": {"80/tcp": {}}, "Volumes": {"/data": {}}, "StopTimeout": 3, "StopSignal": "SIGINT",
    "Healthcheck": {"Test": ["CMD-SHELL", "true"], "Interval": 1000000000, "Retries": 2, "StartInterval": 5}},
  "HostConfig": {"Binds": ["/a:/b:ro"], "NetworkMode": "front", "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3},
    "PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]}, "Memory": 1048576, "NanoCpus": 500000000, "Init": true,
    "Mounts": [{"Type": "volume", "Source": "v", "Target": "/v", "VolumeOptions": {"Subpath": "s"}}, {"Type": "bind", "Source": "/x", "Target": "/y",
      "ReadOnly": true, "BindOptions": {"Propagation": "rslave"}}],
    "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m"}}, "Ulimits": [{"Name": "nofile", "Soft": 1, "Hard": 2}],
    "Devices": [{"PathOnHost": "/dev/a", "PathInContainer": "/dev/b", "CgroupPermissions": "r"}], "AutoRemove": true, "ShmSize": 67108864},
  "Mounts": [{"Type": "volume", "Name": "v", "Source": "/var/lib/docker/volumes/v/_data", "Destination": "/v", "Driver": "local", "Mode": "z", "RW": true, "Propagation": ""}],
  "NetworkSettings": {"Ports": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}], "81/tcp": null},
    "Networks": {"front": {"IPAMConfig": {"IPv4Address": "172.18.0.9"}, "Aliases": ["web"], "NetworkID": "n1", "IPAddress": "172.18.0.9",
      "IPPrefixLen": 16, "MacAddress": "02:42:ac:12:00:09", "DNSNames": ["web", "abc"], "GwPriority": 0}}},
  "SizeRw": 7, "SomethingNew": {"of": 1.60}
})";

std::string with_digest(std::string text) {
  const std::string hex = Digest::of("image").to_string().substr(7);
  for (std::size_t at = text.find('%'); at != std::string::npos; at = text.find('%')) text.replace(at, 1, hex);
  return text;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_container_in_full) {
  const auto found = parse_container_details(json::parse(with_digest(container_answer)));

  BOOST_REQUIRE(found);
  BOOST_TEST(found->name == "web");
  BOOST_TEST(seconds(found->created) == "1700000000.500000000");
  BOOST_TEST((found->image_id == Digest::of("image") && found->image_manifest == Digest::of("image")));
  BOOST_TEST(found->restart_count == 2);
  BOOST_TEST(found->state.is_running);
  BOOST_TEST(!found->state.finished);
  BOOST_TEST(found->state.health->status == "healthy");
  BOOST_TEST(found->state.health->log[0].output == "no");
  BOOST_TEST(!found->state.health->log[0].end);
  BOOST_TEST(found->config.cmd == (std::vector<std::string>{"sleep", "1"}), boost::test_tools::per_element());
  BOOST_TEST(found->config.entrypoint.empty());
  BOOST_TEST(found->config.volumes[0] == "/data");
  BOOST_TEST(found->config.stop_timeout->count() == 3);
  BOOST_TEST(found->config.healthcheck->interval.count() == 1'000'000'000);
  BOOST_TEST(found->config.has_tty);
  BOOST_TEST(found->host_config.restart_policy.restarts());
  BOOST_TEST(found->host_config.port_bindings.at("80/tcp")[0].host_port == "8080");
  BOOST_TEST(found->host_config.mounts[0].subpath == "s");
  BOOST_TEST(found->host_config.mounts[1].propagation == "rslave");
  BOOST_TEST(found->host_config.ulimits[0].hard == 2);
  BOOST_TEST(found->host_config.init.value());
  BOOST_TEST(found->mounts[0].name == "v");
  BOOST_TEST(found->mounts[0].is_writable);
  BOOST_TEST(found->network_settings.ports.at("81/tcp").empty());
  BOOST_TEST(found->network_settings.networks.at("front").ipam.ipv4_address == "172.18.0.9");
  BOOST_TEST(found->network_settings.networks.at("front").dns_names.size() == 2U);
  BOOST_TEST(found->size_rw_bytes.value() == 7);
  BOOST_TEST(!found->size_root_fs_bytes);
  BOOST_TEST(found->raw->at("SomethingNew").at("of") == 1.60);
}

// Every member, one after the other, taken out, made null and made another type: nothing throws, the rest stays.
BOOST_AUTO_TEST_CASE(any_member_may_be_absent_null_or_odd) {
  const json whole = json::parse(with_digest(container_answer));
  const json members = whole.flatten();
  const json odd_values[] = {
      nullptr, "text", -1, 1.5, true, json::array(), json::array({nullptr, 1}), json::object(), json{{"x", nullptr}}};
  std::size_t tried = 0;
  for (const auto& [pointer, value] : members.items()) {
    for (const json& odd : odd_values) {
      for (json::json_pointer at(pointer); !at.empty(); at.pop_back()) {
        json answer = whole;
        answer[at] = odd;
        const bool has_id = answer["Id"] == "abc" || answer["Id"] == "text";
        BOOST_TEST(parse_container_details(answer).has_value() == has_id);
        ++tried;
      }
    }
  }
  BOOST_TEST(tried > 1000U);
  for (const json& odd : odd_values) {
    parse_container_list(odd);
    parse_container_list(json::array({odd}));
    parse_network_list(json::array({odd}));
    parse_volume_list(json{{"Volumes", json::array({odd})}});
    parse_volume_list(json{{"Volumes", odd}});
    parse_disk_usage(odd);
    parse_disk_usage(json{{"Images", odd}, {"VolumeUsage", odd}, {"BuildCache", json::array({odd})}});
    parse_image_list(json::array({odd}));
    parse_image_history(json::array({odd}));
    parse_image_removal(json::array({odd}));
    parse_image_removal(odd);
    parse_found_images(json::array({odd}));
    BOOST_TEST(!parse_image_details(odd));
    BOOST_TEST(!parse_container_details(odd));
  }
}

BOOST_AUTO_TEST_CASE(a_listed_container) {
  const auto list = parse_container_list(
      json::parse(with_digest(R"([{"Id": "abc", "Names": ["/app/db", "/db"], "Image": "redis:7", "ImageID": "sha256:%",
    "Command": "redis", "Created": 1700000000, "State": "exited", "Status": "Exited (0) 3 days ago", "Labels": {"l": "1"}, "SizeRw": 3,
    "Ports": [{"IP": "::", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"}, {"PrivatePort": 81, "Type": "udp"}],
    "HostConfig": {"NetworkMode": "bridge"}, "NetworkSettings": {"Networks": {"bridge": {"NetworkID": "n"}}},
    "Mounts": [{"Type": "volume", "Name": "v", "Destination": "/d", "RW": false}]}, {"Id": "def", "Names": null, "ImageID": "", "Created": 0}, {"Names": ["/x"]}])")));

  BOOST_REQUIRE(list.size() == 2U);
  BOOST_TEST(list[0].name == "db");
  BOOST_TEST(seconds(list[0].created) == "1700000000.000000000");
  BOOST_TEST(list[0].ports[0].public_port == 8080);
  BOOST_TEST(list[0].ports[1].public_port == 0);
  BOOST_TEST(list[0].networks.at("bridge").network_id == "n");
  BOOST_TEST(list[0].mounts[0].target == "/d");
  BOOST_TEST(list[0].size_rw_bytes.value() == 3);
  BOOST_TEST(list[1].name == "");
  BOOST_TEST(!list[1].created);
}

BOOST_AUTO_TEST_CASE(a_create_request_names_what_it_needs) {
  const auto gates = [](const char* platform, const char* body) {
    std::string text;
    for (const FeatureGate& gate : find_create_gates({.name = {}, .platform = platform}, json::parse(body))) {
      text += gate.version.to_string() + " " + gate.what + "; ";
    }
    return text;
  };
  BOOST_TEST(gates("", R"({"Image": "x", "HostConfig": {}, "NetworkingConfig": {"EndpointsConfig": {"a": {}}}})") == "");
  BOOST_TEST(gates("linux/arm64", "{}") == "1.41 a container's platform; ");
  BOOST_TEST(gates("", R"({"Healthcheck": {"StartInterval": 1}})") == "1.44 a health check's start interval; ");
  BOOST_TEST(
      gates("",
            R"({"NetworkingConfig": {"EndpointsConfig": {"a": {"GwPriority": 1}, "b": {"MacAddress": "02:00:00:00:00:01"}}}})") ==
      "1.44 a container in several networks from the start; 1.44 a MAC address for one network; 1.48 a gateway priority; ");
  BOOST_TEST(
      gates("", R"({"HostConfig": {"Mounts": [{"Type": "image"}, {"Type": "volume", "VolumeOptions": {"Subpath": "x"}}]}})") ==
      "1.45 a part of a volume; 1.48 an image as a mount; ");
  BOOST_TEST(gates("", "null") == "");
}

BOOST_AUTO_TEST_CASE(networks_and_what_is_asked_of_them) {
  const auto network = parse_network(
      json::parse(R"({"Id": "n", "Name": "front", "Created": "2023-11-14T22:13:20Z", "Scope": "local", "Driver": "bridge",
    "EnableIPv6": true, "IPAM": {"Driver": "default", "Options": null, "Config": [{"Subnet": "10.1.0.0/24", "Gateway": "10.1.0.1", "IPRange": "10.1.0.128/25"}]},
    "Internal": true, "Containers": {"abc": {"Name": "web", "IPv4Address": "10.1.0.2/24"}}, "Options": {}, "Labels": {"a": "b"}})"));
  BOOST_REQUIRE(network);
  BOOST_TEST(network->ipam.pools[0].ip_range == "10.1.0.128/25");
  BOOST_TEST(network->is_internal);
  BOOST_TEST(!network->has_ipv4);
  BOOST_TEST(network->members[0].ipv4_address == "10.1.0.2/24");

  BOOST_TEST(to_json(NetworkRequest{.name = "n"}).dump() ==
             R"({"Attachable":false,"CheckDuplicate":true,"Driver":"bridge","Internal":false,"Name":"n"})");
  BOOST_TEST(
      to_json(NetworkRequest{
                  .name = "n", .has_ipv6 = false, .ipam = {.driver = {}, .options = {}, .pools = {{.subnet = "10.0.0.0/8"}}}})
          .dump() ==
      R"({"Attachable":false,"CheckDuplicate":true,"Driver":"bridge","EnableIPv6":false,"IPAM":{"Config":[{"Subnet":"10.0.0.0/8"}]},"Internal":false,"Name":"n"})");
  BOOST_TEST(to_json(EndpointSettings{}).dump() == "{}");
  BOOST_TEST(to_json(EndpointSettings{
                         .ipam = {.ipv4_address = "10.0.0.2"}, .aliases = {"db"}, .gw_priority = 0, .ip_address = "left out"})
                 .dump() == R"({"Aliases":["db"],"GwPriority":0,"IPAMConfig":{"IPv4Address":"10.0.0.2"}})");
}

BOOST_AUTO_TEST_CASE(anonymous_volumes_of_old_and_new_engines) {
  const std::string hex(64, 'a');
  BOOST_TEST(Volume{.name = hex}.is_anonymous());
  BOOST_TEST((Volume{.name = "x", .labels = {{"com.docker.volume.anonymous", ""}}}.is_anonymous()));
  BOOST_TEST(!(Volume{.name = hex, .labels = {{"com.docker.compose.project", "p"}}}.is_anonymous()));
  BOOST_TEST(!Volume{.name = hex.substr(1)}.is_anonymous());
  BOOST_TEST(!Volume{.name = std::string(64, 'g')}.is_anonymous());
  BOOST_TEST(!Volume{.name = "db"}.is_anonymous());

  const auto volumes = parse_volume_list(
      json::parse(R"({"Volumes": [{"Name": "a", "Driver": "local", "Mountpoint": "/m", "CreatedAt": "2023-11-15T00:13:20+02:00",
    "Labels": null, "Options": {"type": "nfs"}, "Scope": "local", "UsageData": {"Size": -1, "RefCount": 2}}, {"Driver": "local"}], "Warnings": null})"));
  BOOST_REQUIRE(volumes.size() == 1U);
  BOOST_TEST(seconds(volumes[0].created) == "1700000000.000000000");
  BOOST_TEST(volumes[0].options.at("type") == "nfs");
  BOOST_TEST(!volumes[0].size_bytes);
  BOOST_TEST(volumes[0].containers.value() == 2);
  BOOST_TEST(parse_volume_list(json::parse(R"({"Volumes": null})")).empty());
}

BOOST_AUTO_TEST_CASE(listed_images_and_which_of_them_dangle) {
  const auto images = parse_image_list(
      json::parse(with_digest(R"([{"Id": "sha256:%", "ParentId": "", "RepoTags": ["<none>:<none>"], "RepoDigests": ["x@sha256:%"],
    "Created": 1700000000, "Size": 9, "SharedSize": -1, "Containers": -1, "Labels": {"a": "b"}},
    {"Id": "sha256:%", "ParentId": "sha256:%", "RepoTags": ["docker.io/library/x:1", "docker.io/library/x@sha256:%"], "RepoDigests": null, "SharedSize": 4, "Containers": 0}])")));
  BOOST_TEST(images[0].repo_tags.empty());
  BOOST_TEST(images[1].repo_tags == std::vector<std::string>{"x:1"}, boost::test_tools::per_element());
  BOOST_TEST(!images[0].shared_size_bytes);
  BOOST_TEST(!images[0].containers);
  BOOST_TEST(images[0].size_bytes == 9);
  BOOST_TEST(images[1].shared_size_bytes.value() == 4);
  BOOST_TEST(images[1].containers.value() == 0);
  BOOST_TEST(images[1].parent_id.has_value());

  BOOST_TEST(is_dangling(images[0], StoreKind::classic));
  BOOST_TEST(!is_dangling(images[0], StoreKind::containerd));  // named by digest there
  BOOST_TEST(!is_dangling(images[1], StoreKind::classic));
  BOOST_TEST(is_dangling(ImageSummary{.id = images[0].id}, StoreKind::containerd));
  BOOST_TEST((is_dangling(ImageSummary{.id = images[0].id, .repo_digests = {"moby-dangling@sha256:1"}}, StoreKind::containerd)));
}

BOOST_AUTO_TEST_CASE(image_details_tell_when_the_image_was_named_here) {
  const auto details = parse_image_details(
      json::parse(with_digest(R"({"Id": "sha256:%", "Created": "2023-11-14T22:13:20Z", "Size": 5, "Parent": "",
    "Metadata": {"LastTagTime": "2024-02-29T12:00:00.5+00:00"}, "Config": {"Env": ["A=1"], "Cmd": "old form", "ExposedPorts": {"1/udp": {}}}})")));
  BOOST_TEST(seconds(details->last_tag_time) == "1709208000.500000000");
  BOOST_TEST(details->config.env[0] == "A=1");
  BOOST_TEST(details->config.cmd[0] == "old form");
  BOOST_TEST(
      !parse_image_details(json::parse(with_digest(R"({"Id": "sha256:%", "Metadata": {"LastTagTime": "0001-01-01T00:00:00Z"}})")))
           ->last_tag_time);
  BOOST_TEST(!parse_image_details(json::parse(with_digest(R"({"Id": "sha256:%", "Created": null})")))->created);
}

BOOST_AUTO_TEST_CASE(removals_and_prunes_tell_the_same) {
  const auto removal = parse_image_removal(json::parse(R"([{"Untagged": "docker.io/library/x:1"}, {"Deleted": "sha256:1"}])"));
  BOOST_TEST(removal.untagged[0] == "x:1");
  BOOST_TEST(removal.removed[0] == "sha256:1");
  const auto pruned = parse_image_removal(
      json::parse(R"({"ImagesDeleted": [{"Deleted": "sha256:1"}, {"Deleted": "sha256:2"}], "SpaceReclaimed": 12})"));
  BOOST_TEST(pruned.removed.size() == 2U);
  BOOST_TEST(pruned.reclaimed_bytes == 12);
  BOOST_TEST(parse_image_removal(json::parse(R"({"ImagesDeleted": null, "SpaceReclaimed": 0})")).removed.empty());
}

BOOST_AUTO_TEST_CASE(disk_usage_old_and_new) {
  const auto old = parse_disk_usage(
      json::parse(with_digest(R"({"LayersSize": 100, "Images": [{"Id": "sha256:%", "SharedSize": 1, "Containers": 2}],
    "Containers": [{"Id": "c", "SizeRw": 3}], "Volumes": [{"Name": "v", "UsageData": {"Size": 4, "RefCount": 0}}],
    "BuildCache": [{"ID": "b", "Parent": "p", "Type": "regular", "InUse": true, "Shared": false, "Size": 5, "CreatedAt": "2023-11-14T22:13:20Z",
      "LastUsedAt": null, "UsageCount": 1}], "BuilderSize": 5})")));
  BOOST_TEST(old.images.total_bytes.value() == 100);
  BOOST_TEST(old.images.items[0].containers.value() == 2);
  BOOST_TEST(old.containers.items[0].size_rw_bytes.value() == 3);
  BOOST_TEST(old.volumes.items[0].size_bytes.value() == 4);
  BOOST_TEST(old.volumes.items[0].containers.value() == 0);
  BOOST_TEST(old.build_cache.items[0].parents[0] == "p");
  BOOST_TEST(!old.build_cache.items[0].last_used);
  BOOST_TEST(!old.volumes.total_count);

  const auto both = parse_disk_usage(json::parse(with_digest(R"({"LayersSize": 90, "Images": [{"Id": "sha256:%"}],
    "ImageUsage": {"ActiveCount": 1, "TotalCount": 2, "Reclaimable": 30, "TotalSize": 95}, "Volumes": null})")));
  BOOST_TEST(both.images.items.size() == 1U);
  BOOST_TEST(both.images.total_bytes.value() == 95);

  const auto summed =
      parse_disk_usage(json::parse(R"({"VolumeUsage": {"ActiveCount": 1, "TotalCount": 2, "Reclaimable": 3, "TotalSize": 4,
    "Items": [{"Name": "v"}]}, "BuildCacheUsage": {"TotalSize": 6, "Items": [{"ID": "b", "Parents": ["p", "q"]}]}})"));
  BOOST_TEST(summed.volumes.items[0].name == "v");
  BOOST_TEST(summed.volumes.reclaimable_bytes.value() == 3);
  BOOST_TEST(summed.build_cache.items[0].parents.size() == 2U);
}

BOOST_AUTO_TEST_CASE(both_stores_name_what_was_pushed) {
  const std::string digest = Digest::of("image").to_string();
  for (const std::string& line : std::initializer_list<std::string>{R"({"aux": {"Tag": "1", "Digest": "%", "Size": 405}})",
                                                                    R"({"status": "1: digest: % size: 405"})"}) {
    const auto pushed = find_pushed_image(json::parse(with_digest(std::string(line).replace(line.find('%'), 1, "sha256:%"))));
    BOOST_REQUIRE(pushed);
    BOOST_TEST(pushed->tag == "1");
    BOOST_TEST(pushed->digest->to_string() == digest);
    BOOST_TEST(pushed->size_bytes == 405);
  }
  for (const char* line :
       {R"({"status": "Pushed"})", R"({"status": "1: digest: sha256:ab size: 4"})", R"({"status": ": digest: "})", "{}", "null",
        R"({"status": " size: 1: digest: "})", R"({"aux": null})"}) {
    BOOST_TEST(!find_pushed_image(json::parse(line)));
  }
}

BOOST_AUTO_TEST_CASE(an_image_id_may_lack_its_algorithm) {
  const std::string digest = Digest::of("image").to_string();
  BOOST_TEST((image_id_member(json{{"Id", digest}}, "Id") == Digest::of("image")));
  BOOST_TEST((image_id_member(json{{"Id", digest.substr(7)}}, "Id") == Digest::of("image")));
  for (const char* bad : {"", "sha256:", "abc", "Downloading"}) BOOST_TEST(!image_id_member(json{{"Id", bad}}, "Id"));
}

BOOST_AUTO_TEST_CASE(numbers_are_whole_and_fit) {
  const json object = json::parse(R"({"a": 1, "b": -1, "c": 1.9, "d": 18446744073709551615, "e": 1e300, "f": "1", "g": true})");
  BOOST_TEST(number_member(object, "a") == 1);
  BOOST_TEST(number_member(object, "b") == -1);
  BOOST_TEST(number_member(object, "c") == 1);
  for (const char* name : {"d", "e", "f", "g", "none"}) BOOST_TEST(!find_number_member(object, name));
  BOOST_TEST(!time_member(json::parse(R"({"t": 99999999999999999})"), "t"));
}

BOOST_AUTO_TEST_SUITE_END()
