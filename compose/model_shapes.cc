// compose-go's types package (v2.9.1, docker compose 2.40.3) as a table, with the keys added since in their later places.
//
// Types: string, bool, int, uint, float, bytes, duration, mode, count (of devices); "?" after it tells null and unset from zero,
// and is printed even if zero. strings (a list), texts (a list of whatever, as text), command, test, mapping, environment,
// labels, options, multi, hosts. Name is a structure that is always there, Name? one that may be missing, [Name] a list, {Name} a
// mapping, {Name?} a mapping that has nulls.
// "!" after the key: printed even when empty.
#include "compose/bound_model.h"

namespace drover::compose {
namespace {

constexpr ModelShape model_shape_rows[] = {
    {.name = "Service",
     .members =
         "profiles:strings annotations:mapping attach:bool? build:Build? develop:Develop? blkio_config:BlkioConfig? "
         "cap_add:strings "
         "cap_drop:strings cgroup_parent:string cgroup:string cpu_count:int cpu_percent:float cpu_period:int cpu_quota:int "
         "cpu_rt_period:int "
         "cpu_rt_runtime:int cpus:float cpuset:string cpu_shares:int command!:command configs:[FileReference] "
         "container_name:string "
         "credential_spec:CredentialSpec? depends_on:{Dependency} deploy:Deploy? device_cgroup_rules:strings devices:[Device] "
         "dns:strings "
         "dns_opt:strings dns_search:strings domainname:string entrypoint!:command provider:Provider? environment:environment "
         "env_file:[EnvFile] expose:texts external_links:strings extra_hosts:hosts group_add:strings gpus:[DeviceRequest] "
         "hostname:string "
         "healthcheck:Healthcheck? image:string init:bool? ipc:string isolation:string labels:labels label_file:strings "
         "links:strings "
         "logging:Logging? mem_limit:bytes mem_reservation:bytes memswap_limit:bytes mem_swappiness:bytes mac_address:string "
         "models:{ServiceModel?} network_mode:string networks:{ServiceNetwork?} oom_kill_disable:bool oom_score_adj:int "
         "pid:string "
         "pids_limit:int platform:string ports:[Port] privileged:bool pull_policy:string pull_refresh_after:string "
         "read_only:bool restart:string "
         "runtime:string scale:int? secrets:[FileReference] security_opt:strings shm_size:bytes stdin_open:bool "
         "stop_grace_period:duration? "
         "stop_signal:string storage_opt:mapping sysctls:mapping tmpfs:strings tty:bool ulimits:{Ulimit?} use_api_socket:bool "
         "user:string "
         "userns_mode:string uts:string volumes:[Volume] volumes_from:strings working_dir:string pre_start:[Hook] "
         "post_start:[Hook] "
         "pre_stop:[Hook]"},
    {.name = "Build",
     .members = "context:string dockerfile:string dockerfile_inline:string entitlements:strings args:environment "
                "provenance:string sbom:string "
                "ssh:ssh labels:labels cache_from:strings cache_to:strings no_cache:bool no_cache_filter:strings "
                "additional_contexts:mapping "
                "pull:bool extra_hosts:hosts isolation:string network:string target:string secrets:[FileReference] "
                "shm_size:bytes tags:strings "
                "ulimits:{Ulimit?} platforms:strings privileged:bool"},
    {.name = "Develop", .members = "watch:[Watch]"},
    {.name = "Watch",
     .members = "path!:string action!:string target:string exec:Hook include:strings ignore:strings initial_sync:bool"},
    {.name = "BlkioConfig",
     .members = "weight:uint weight_device:[WeightDevice] device_read_bps:[ThrottleDevice] device_read_iops:[ThrottleDevice] "
                "device_write_bps:[ThrottleDevice] device_write_iops:[ThrottleDevice]"},
    {.name = "WeightDevice", .members = "Path!:string Weight!:uint"},
    {.name = "ThrottleDevice", .members = "Path!:string Rate!:bytes"},
    {.name = "FileReference", .members = "source:string target:string uid:string gid:string mode:mode?"},
    {.name = "CredentialSpec", .members = "config:string file:string registry:string"},
    {.name = "Dependency", .members = "condition:string restart:bool required!:bool"},
    {.name = "Deploy",
     .members =
         "mode:string replicas:int? labels:labels update_config:UpdateConfig? rollback_config:UpdateConfig? resources:Resources "
         "restart_policy:RestartPolicy? placement:Placement endpoint_mode:string"},
    {.name = "UpdateConfig",
     .members = "parallelism:uint? delay:duration failure_action:string monitor:duration max_failure_ratio:float order:string"},
    {.name = "Resources", .members = "limits:Resource? reservations:Resource?"},
    {.name = "Resource",
     .members = "cpus:float memory:bytes pids:int devices:[DeviceRequest] generic_resources:[GenericResource]"},
    {.name = "GenericResource", .members = "discrete_resource_spec:DiscreteResource?"},
    {.name = "DiscreteResource", .members = "kind!:string value!:int"},
    {.name = "DeviceRequest", .members = "capabilities:strings driver:string count:count device_ids:strings options:mapping"},
    {.name = "RestartPolicy", .members = "condition:string delay:duration? max_attempts:uint? window:duration?"},
    {.name = "Placement", .members = "constraints:strings preferences:[Preference] max_replicas_per_node:uint"},
    {.name = "Preference", .members = "spread:string"},
    {.name = "Device", .members = "source:string target:string permissions:string"},
    {.name = "Provider", .members = "type:string options:multi"},
    {.name = "EnvFile", .members = "path:string required!:bool format:string"},
    {.name = "Healthcheck",
     .members = "test:test timeout:duration? interval:duration? retries:uint? start_period:duration? start_interval:duration? "
                "disable:bool"},
    {.name = "Logging", .members = "driver:string options:options"},
    {.name = "ServiceModel", .members = "endpoint_var:string model_var:string"},
    {.name = "ServiceNetwork",
     .members =
         "aliases:strings driver_opts:options gw_priority:int interface_name:string ipv4_address:string ipv6_address:string "
         "link_local_ips:strings mac_address:string priority:int"},
    {.name = "Port",
     .members = "name:string mode:string host_ip:string target:uint published:string protocol:string app_protocol:string"},
    {.name = "Hook",
     .members =
         "command!:command image:string user:string privileged:bool working_dir:string environment:environment per_replica:bool"},
    {.name = "Ulimit", .members = "soft:int hard:int"},
    {.name = "Volume",
     .members =
         "type:string source:string target:string read_only:bool consistency:string bind:BindOptions? volume:VolumeOptions? "
         "tmpfs:TmpfsOptions? image:ImageOptions?"},
    {.name = "BindOptions", .members = "selinux:string propagation:string create_host_path:bool recursive:string"},
    {.name = "VolumeOptions", .members = "labels:mapping nocopy:bool subpath:string"},
    {.name = "TmpfsOptions", .members = "size:bytes mode:uint"},
    {.name = "ImageOptions", .members = "subpath:string"},

    {.name = "Network",
     .members =
         "name:string driver:string driver_opts:options ipam:Ipam external:bool internal:bool attachable:bool labels:labels "
         "enable_ipv4:bool? enable_ipv6:bool?"},
    {.name = "Ipam", .members = "driver:string config:[IpamPool]"},
    {.name = "IpamPool", .members = "subnet:string gateway:string ip_range:string aux_addresses:mapping"},
    {.name = "VolumeResource", .members = "name:string driver:string driver_opts:options external:bool labels:labels"},
    {.name = "FileObject",
     .members = "name:string file:string environment:string content:string external:bool labels:labels driver:string "
                "driver_opts:options "
                "template_driver:string"},
    {.name = "Model", .members = "name:string model:string context_size:int runtime_flags:strings"},
};

}  // namespace

std::span<const ModelShape> model_shapes() {
  return model_shape_rows;
}

}  // namespace drover::compose
