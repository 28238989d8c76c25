//! What every instance is shown with though nothing here follows from it: how its processor is divided, how its metadata is
//! read, and what is the same for all.

use std::sync::LazyLock;

use scaling_fleet::InstanceType;
use serde::Serialize;
use serde_json::{Value, json};

use super::types::whole;
use crate::machines::maker;
use crate::region::stamp::Stamp;

/// How the processor of an instance is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct CpuOptions {
    pub core_count: u64,
    pub threads_per_core: u64,
}

impl CpuOptions {
    /// Those of a type: two threads a core, except on Graviton and on AMD from the seventh generation on.
    pub(super) fn of(kind: &InstanceType) -> Self {
        let digits: String = kind.name.family().chars().filter(char::is_ascii_digit).collect();
        let single = match maker(kind) {
            "amazon-web-services" => true,
            "amd" => digits.parse::<u32>().is_ok_and(|number| number >= 7),
            _ => false,
        };
        let threads_per_core = if single { 1 } else { 2 };
        Self { core_count: (whole(kind.vcpu.0) / threads_per_core).max(1), threads_per_core }
    }
}

/// How the metadata of an instance is read: as what it was launched from says, else as EC2 has it.
pub(super) fn metadata_options(stamp: &Stamp) -> Value {
    let mut options = json!({
        "state": "applied", "httpTokens": "optional", "httpPutResponseHopLimit": 1, "httpEndpoint": "enabled",
        "httpProtocolIpv6": "disabled", "instanceMetadataTags": "disabled",
    });
    for (name, value) in &stamp.metadata {
        options[name] = value.clone();
    }
    options
}

/// Members that are the same for all instances. Lists without items are there too: clients tell them from absent ones.
pub(super) static COMMON: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "dnsName": "",
        "productCodes": [],
        "blockDeviceMapping": [],
        "networkInterfaceSet": [],
        "enaSupport": true,
        "usageOperation": "RunInstances",
        "currentInstanceBootMode": "legacy-bios",
        "capacityReservationSpecification": { "capacityReservationPreference": "open" },
        "enclaveOptions": { "enabled": false },
        "hibernationOptions": { "configured": false },
        "maintenanceOptions": { "autoRecovery": "default" },
    })
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machines::Machines;

    #[test]
    fn cores_have_two_threads_except_where_the_family_has_one() {
        for (name, expected) in
            [("m7i.large", (1, 2)), ("m7g.large", (2, 1)), ("m7a.large", (2, 1)), ("m5a.xlarge", (2, 2))]
        {
            let Some(kind) = Machines::of("us-east-1").get(name) else { continue };
            let options = CpuOptions::of(kind);
            assert_eq!((options.core_count, options.threads_per_core), expected, "{name}");
        }
    }
}
