//! Instance types with their catalogue figures and us-east-1 prices.

use std::sync::Arc;

use scaling_fleet::{Catalogue, PriceBook, TypeName};
use scaling_policy::snapshot::TypeOffer;

/// A type by its name.
pub(crate) fn offer(name: &str) -> TypeOffer {
    let found = Catalogue::embedded().get_str(name).unwrap();
    let name = TypeName::new(name);
    let price = PriceBook::embedded("us-east-1").unwrap().get(&name).unwrap().usd_per_hour;
    TypeOffer { name, vcpu: found.vcpu, memory: found.memory, price }
}

/// A ladder in the order that a snapshot has.
pub(crate) fn ladder(names: impl IntoIterator<Item = String>) -> Arc<[TypeOffer]> {
    let mut offers: Vec<TypeOffer> = names.into_iter().map(|name| offer(&name)).collect();
    offers.sort_by(|a, b| {
        a.vcpu.0.total_cmp(&b.vcpu.0).then(a.memory.0.total_cmp(&b.memory.0)).then(a.name.cmp(&b.name))
    });
    offers.into()
}

/// c7i, m7i and r7i from large to 4xlarge.
pub(crate) fn demo_types() -> Vec<String> {
    let families = ["c7i", "m7i", "r7i"];
    let sizes = ["large", "xlarge", "2xlarge", "4xlarge"];
    families.into_iter().flat_map(|family| sizes.map(|size| format!("{family}.{size}"))).collect()
}

/// The same, as a snapshot has it.
pub(crate) fn demo_ladder() -> Arc<[TypeOffer]> {
    ladder(demo_types())
}
