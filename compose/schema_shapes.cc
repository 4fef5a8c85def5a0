// compose-spec/schema/compose-spec.json as a table (docker compose 2.40.3, and the keys added since).
// Mappings accept "x-" keys besides the listed ones; a boolean or number that may be interpolated also takes a string.
#include "compose/schema.h"

namespace drover::compose {
namespace {

constexpr Shape shapes[] = {
    {.name = "Project",
     .kinds = "m",
     .members = "version:s name:s include:Includes services:Services models:Models networks:Networks volumes:Volumes secrets:Secrets "
                "configs:Configs"},
    {.name = "Includes", .kinds = "l", .items = "Include"},
    {.name = "Include", .kinds = "sm", .members = "path:StringOrList env_file:StringOrList project_directory:s"},
    {.name = "Services", .kinds = "m", .members = "@:Service"},
    {.name = "Models", .kinds = "m", .members = "@:Model"},
    {.name = "Networks", .kinds = "m", .members = "@:Network"},
    {.name = "Volumes", .kinds = "m", .members = "@:Volume"},
    {.name = "Secrets", .kinds = "m", .members = "@:Secret"},
    {.name = "Configs", .kinds = "m", .members = "@:Config"},

    {.name = "Service",
     .kinds = "m",
     .members =
         "develop:Develop deploy:Deploy annotations:Dictionary attach:bs build:Build blkio_config:BlkioConfig cap_add:UniqueStrings "
         "cap_drop:UniqueStrings cgroup:Cgroup cgroup_parent:s command:Command configs:Mounts container_name:s cpu_count:si cpu_percent:si "
         "cpu_shares:ns cpu_quota:ns cpu_period:ns cpu_rt_period:ns cpu_rt_runtime:ns cpus:ns cpuset:s credential_spec:CredentialSpec "
         "depends_on:DependsOn device_cgroup_rules:UniqueStrings devices:Devices dns:StringOrList dns_opt:UniqueStrings "
         "dns_search:StringOrList domainname:s entrypoint:Command env_file:EnvFiles label_file:Strings environment:Dictionary expose:Expose "
         "extends:Extends provider:Provider external_links:UniqueStrings extra_hosts:ExtraHosts gpus:Gpus group_add:GroupAdd "
         "healthcheck:Healthcheck hostname:s image:s init:bs ipc:s isolation:s labels:Dictionary links:UniqueStrings logging:Logging "
         "mac_address:s mem_limit:ns mem_reservation:is mem_swappiness:is memswap_limit:ns network_mode:s models:ServiceModels "
         "networks:ServiceNetworks oom_kill_disable:bs oom_score_adj:is pid:s0 pids_limit:ns platform:s ports:Ports pre_start:Hooks "
         "post_start:Hooks pre_stop:Hooks privileged:bs profiles:UniqueStrings pull_policy:PullPolicy pull_refresh_after:s read_only:bs restart:s "
         "runtime:s scale:is security_opt:UniqueStrings shm_size:ns secrets:Mounts sysctls:Dictionary stdin_open:bs stop_grace_period:s "
         "stop_signal:s storage_opt:m tmpfs:StringOrList tty:bs ulimits:Ulimits use_api_socket:bs user:s uts:s userns_mode:s "
         "volumes:ServiceVolumes volumes_from:UniqueStrings working_dir:s"},
    {.name = "Develop", .kinds = "m0", .members = "watch:Watches"},
    {.name = "Watches", .kinds = "l", .items = "Watch"},
    {.name = "Watch",
     .kinds = "m",
     .members = "ignore:StringOrList include:StringOrList path!:s action!:WatchAction target:s exec:Hook initial_sync:bs"},
    {.name = "WatchAction", .kinds = "s", .words = "rebuild sync restart sync+restart sync+exec"},
    {.name = "Deploy",
     .kinds = "m0",
     .members = "mode:s endpoint_mode:s replicas:is labels:Dictionary rollback_config:UpdateConfig update_config:UpdateConfig "
                "resources:Resources restart_policy:RestartPolicy placement:Placement"},
    {.name = "UpdateConfig",
     .kinds = "m",
     .members = "parallelism:is delay:s failure_action:s monitor:s max_failure_ratio:ns order:UpdateOrder"},
    {.name = "UpdateOrder", .kinds = "s", .words = "start-first stop-first"},
    {.name = "Resources", .kinds = "m", .members = "limits:Limits reservations:Reservations"},
    {.name = "Limits", .kinds = "m", .members = "cpus:ns memory:s pids:is"},
    {.name = "Reservations", .kinds = "m", .members = "cpus:ns memory:s generic_resources:GenericResources devices:DeviceRequests"},
    {.name = "GenericResources", .kinds = "l", .items = "GenericResource"},
    {.name = "GenericResource", .kinds = "m", .members = "discrete_resource_spec:DiscreteResource"},
    {.name = "DiscreteResource", .kinds = "m", .members = "kind:s value:ns"},
    {.name = "DeviceRequests", .kinds = "l", .items = "DeviceRequest"},
    {.name = "DeviceRequest",
     .kinds = "m",
     .members = "capabilities!:UniqueStrings count:si device_ids:UniqueStrings driver:s options:Dictionary"},
    {.name = "RestartPolicy", .kinds = "m", .members = "condition:s delay:s max_attempts:is window:s"},
    {.name = "Placement", .kinds = "m", .members = "constraints:StringList preferences:Preferences max_replicas_per_node:is"},
    {.name = "Preferences", .kinds = "l", .items = "Preference"},
    {.name = "Preference", .kinds = "m", .members = "spread:s"},
    {.name = "Build",
     .kinds = "sm",
     .members = "context:s dockerfile:s dockerfile_inline:s entitlements:StringList args:Dictionary ssh:Dictionary labels:Dictionary "
                "cache_from:StringList cache_to:StringList no_cache:bs no_cache_filter:StringOrList additional_contexts:Dictionary network:s "
                "provenance:sb sbom:sb pull:bs target:s shm_size:is extra_hosts:ExtraHosts isolation:s privileged:bs secrets:Mounts "
                "tags:StringList ulimits:Ulimits platforms:StringList"},
    {.name = "BlkioConfig",
     .kinds = "m",
     .members = "device_read_bps:BlkioLimits device_read_iops:BlkioLimits device_write_bps:BlkioLimits device_write_iops:BlkioLimits "
                "weight:is weight_device:BlkioWeights"},
    {.name = "BlkioLimits", .kinds = "l", .items = "BlkioLimit"},
    {.name = "BlkioLimit", .kinds = "m", .members = "path:s rate:is"},
    {.name = "BlkioWeights", .kinds = "l", .items = "BlkioWeight"},
    {.name = "BlkioWeight", .kinds = "m", .members = "path:s weight:is"},
    {.name = "PullPolicy", .kinds = "s", .words = "always never build if_not_present missing refresh daily weekly every_*"},
    {.name = "Cgroup", .kinds = "s", .words = "host private"},
    {.name = "Command", .kinds = "0sl", .items = "s"},
    {.name = "Mounts", .kinds = "l", .items = "Mount"},
    {.name = "Mount", .kinds = "sm", .members = "source:s target:s uid:s gid:s mode:ns"},
    {.name = "CredentialSpec", .kinds = "m", .members = "config:s file:s registry:s"},
    {.name = "DependsOn", .kinds = "lm", .members = "@:Dependency", .items = "s", .has_unique_items = true},
    {.name = "Dependency", .kinds = "m", .members = "restart:bs required:bs condition!:Condition"},
    {.name = "Condition", .kinds = "s", .words = "service_started service_healthy service_completed_successfully"},
    {.name = "Devices", .kinds = "l", .items = "Device"},
    {.name = "Device", .kinds = "sm", .members = "source!:s target:s permissions:s"},
    {.name = "EnvFiles", .kinds = "sl", .items = "EnvFile"},
    {.name = "EnvFile", .kinds = "sm", .members = "path!:s format:s required:bs"},
    {.name = "Expose", .kinds = "l", .items = "sn", .has_unique_items = true},
    {.name = "Extends", .kinds = "sm", .members = "service!:s file:s"},
    {.name = "Provider", .kinds = "m", .members = "type!:s options:ProviderOptions"},
    {.name = "ProviderOptions", .kinds = "m", .members = "*:ProviderOption"},
    {.name = "ProviderOption", .kinds = "snbl", .items = "snb"},
    {.name = "ExtraHosts", .kinds = "ml", .members = "*:HostAddresses", .items = "s", .has_unique_items = true},
    {.name = "HostAddresses", .kinds = "sl", .items = "s"},
    {.name = "Gpus", .kinds = "sl", .items = "Gpu", .words = "all"},
    {.name = "Gpu", .kinds = "m", .members = "capabilities:UniqueStrings count:si device_ids:UniqueStrings driver:s options:Dictionary *:a"},
    {.name = "GroupAdd", .kinds = "l", .items = "sn", .has_unique_items = true},
    {.name = "Healthcheck",
     .kinds = "m",
     .members = "disable:bs interval:s retries:ns test:StringOrItems timeout:s start_period:s start_interval:s"},
    {.name = "StringOrItems", .kinds = "sl", .items = "s"},
    {.name = "Logging", .kinds = "m", .members = "driver:s options:LoggingOptions"},
    {.name = "LoggingOptions", .kinds = "m", .members = "*:sn0"},
    {.name = "ServiceModels", .kinds = "lm", .members = "@:ServiceModel", .items = "s", .has_unique_items = true},
    {.name = "ServiceModel", .kinds = "m0", .members = "endpoint_var:s model_var:s"},
    {.name = "ServiceNetworks", .kinds = "lm0", .members = "@:ServiceNetwork", .items = "s", .has_unique_items = true},
    {.name = "ServiceNetwork",
     .kinds = "m0",
     .members = "aliases:UniqueStrings interface_name:s ipv4_address:s ipv6_address:s link_local_ips:UniqueStrings mac_address:s "
                "driver_opts:DriverOptions priority:n gw_priority:n"},
    {.name = "Ports", .kinds = "l", .items = "Port", .has_unique_items = true},
    {.name = "Port", .kinds = "nsm", .members = "name:s mode:s host_ip:s target:is published:si protocol:s app_protocol:s"},
    {.name = "Hooks", .kinds = "l", .items = "Hook"},
    {.name = "Hook", .kinds = "m", .members = "command:Command image:s user:s privileged:bs working_dir:s environment:Dictionary per_replica:bs"},
    {.name = "Ulimits", .kinds = "m", .members = "*:Ulimit"},
    {.name = "Ulimit", .kinds = "ism", .members = "hard!:is soft!:is"},
    {.name = "ServiceVolumes", .kinds = "l", .items = "ServiceVolume", .has_unique_items = true},
    {.name = "ServiceVolume",
     .kinds = "sm",
     .members = "type!:VolumeType source:s target:s read_only:bs consistency:s bind:BindOptions volume:VolumeOptions tmpfs:TmpfsOptions "
                "image:ImageOptions"},
    {.name = "VolumeType", .kinds = "s", .words = "bind volume tmpfs cluster npipe image"},
    {.name = "BindOptions", .kinds = "m", .members = "propagation:s create_host_path:bs recursive:BindRecursive selinux:Selinux"},
    {.name = "BindRecursive", .kinds = "s", .words = "enabled disabled writable readonly"},
    {.name = "Selinux", .kinds = "s", .words = "z Z"},
    {.name = "VolumeOptions", .kinds = "m", .members = "labels:Dictionary nocopy:bs subpath:s"},
    {.name = "TmpfsOptions", .kinds = "m", .members = "size:is mode:ns"},
    {.name = "ImageOptions", .kinds = "m", .members = "subpath:s"},

    {.name = "Model", .kinds = "m", .members = "name:s model!:s context_size:is runtime_flags:StringList"},
    {.name = "Network",
     .kinds = "m0",
     .members = "name:s driver:s driver_opts:DriverOptions ipam:Ipam external:External internal:bs enable_ipv4:bs enable_ipv6:bs "
                "attachable:bs labels:Dictionary"},
    {.name = "Ipam", .kinds = "m", .members = "driver:s config:IpamPools options:IpamOptions"},
    {.name = "IpamPools", .kinds = "l", .items = "IpamPool"},
    {.name = "IpamPool", .kinds = "m", .members = "subnet:s ip_range:s gateway:s aux_addresses:IpamOptions"},
    {.name = "IpamOptions", .kinds = "m", .members = "*:s"},
    {.name = "External", .kinds = "bsm", .members = "name:s"},
    {.name = "Volume", .kinds = "m0", .members = "name:s driver:s driver_opts:DriverOptions external:External labels:Dictionary"},
    {.name = "Secret",
     .kinds = "m",
     .members = "name:s environment:s file:s external:External labels:Dictionary driver:s driver_opts:DriverOptions template_driver:s"},
    {.name = "Config",
     .kinds = "m",
     .members = "name:s content:s environment:s file:s external:External labels:Dictionary template_driver:s"},

    {.name = "Dictionary", .kinds = "ml", .members = "*:snb0", .items = "s", .has_unique_items = true},
    {.name = "DriverOptions", .kinds = "m", .members = "*:sn"},
    {.name = "StringOrList", .kinds = "sl", .items = "s", .has_unique_items = true},
    {.name = "UniqueStrings", .kinds = "l", .items = "s", .has_unique_items = true},
    {.name = "StringList", .kinds = "l", .items = "s"},
    {.name = "Strings", .kinds = "sl", .items = "s"},
};

}  // namespace

std::span<const Shape> schema_shapes() { return shapes; }

}  // namespace drover::compose
