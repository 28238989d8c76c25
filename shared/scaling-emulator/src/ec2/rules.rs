//! Rules of security groups: added, taken away, shown. There is no traffic that they could let through.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::filter::{Filter, Size, keep, page};
use super::network::{self, DEFAULT_GROUP, SecurityGroup};
use super::tags;
use super::template_data::{Ec2Tag, TagSpecification};
use crate::region::Region;
use crate::wire::AwsError;

/// Most rules of one direction.
const MOST: usize = 60;

/// One rule: a protocol with its ports, and one other side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Its id.
    pub id: String,
    /// `tcp`, `udp`, `icmp`, a number, or `-1` for all.
    pub protocol: String,
    /// First and last port; none with all protocols.
    pub ports: Option<(i64, i64)>,
    /// The other side.
    pub peer: Peer,
    /// For people.
    pub description: Option<String>,
}

/// The other side of a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Peer {
    /// Addresses of version 4.
    V4(String),
    /// Addresses of version 6.
    V6(String),
    /// Members of a security group.
    Group(String),
    /// A list of prefixes.
    Prefixes(String),
}

impl Rule {
    /// What a new group lets out: everything.
    pub(super) fn everything(id: String) -> Self {
        let peer = Peer::V4("0.0.0.0/0".to_owned());
        Self { id, protocol: "-1".to_owned(), ports: None, peer, description: None }
    }

    fn is_same(&self, other: &Self) -> bool {
        (&self.protocol, self.ports, &self.peer) == (&other.protocol, other.ports, &other.peer)
    }
}

/// Input of the operations that add or take away rules.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RulesInput {
    /// The group by id,
    pub group_id: Option<String>,
    /// or by name.
    pub group_name: Option<String>,
    /// The rules,
    pub ip_permissions: Vec<Permission>,
    /// or their ids, where they are taken away,
    #[serde(rename = "SecurityGroupRuleId")]
    pub rule_ids: Vec<String>,
    /// or the parts of one.
    pub ip_protocol: Option<String>,
    /// First port.
    pub from_port: Option<i64>,
    /// Last port.
    pub to_port: Option<i64>,
    /// Addresses.
    pub cidr_ip: Option<String>,
    /// Tags of the rules that are added.
    #[serde(rename = "TagSpecification")]
    pub tags: Vec<TagSpecification>,
}

/// Several rules that have protocol and ports in common.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Permission {
    /// Protocol.
    pub ip_protocol: Option<String>,
    /// First port.
    pub from_port: Option<i64>,
    /// Last port.
    pub to_port: Option<i64>,
    /// Addresses of version 4.
    pub ip_ranges: Vec<Range>,
    /// Addresses of version 6.
    pub ipv6_ranges: Vec<Range>,
    /// Security groups.
    pub groups: Vec<Range>,
    /// Lists of prefixes.
    pub prefix_list_ids: Vec<Range>,
}

/// One other side, with what it is called in the list that it stands in.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Range {
    /// Of version 4.
    pub cidr_ip: Option<String>,
    /// Of version 6.
    pub cidr_ipv6: Option<String>,
    /// A security group.
    pub group_id: Option<String>,
    /// A security group by name.
    pub group_name: Option<String>,
    /// A list of prefixes.
    pub prefix_list_id: Option<String>,
    /// For people.
    pub description: Option<String>,
}

/// `AuthorizeSecurityGroupIngress`.
pub fn let_in(region: &mut Region, input: &RulesInput) -> Result<Value, AwsError> {
    added(region, input, |group| &mut group.ingress, false)
}

/// `AuthorizeSecurityGroupEgress`.
pub fn let_out(region: &mut Region, input: &RulesInput) -> Result<Value, AwsError> {
    added(region, input, |group| &mut group.egress, true)
}

/// `RevokeSecurityGroupIngress`.
pub fn keep_out(region: &mut Region, input: &RulesInput) -> Result<Value, AwsError> {
    removed(region, input, |group| &mut group.ingress)
}

/// `RevokeSecurityGroupEgress`.
pub fn keep_in(region: &mut Region, input: &RulesInput) -> Result<Value, AwsError> {
    removed(region, input, |group| &mut group.egress)
}

/// Which of a group's two lists.
type Direction = fn(&mut SecurityGroup) -> &mut Vec<Rule>;

fn added(
    region: &mut Region,
    input: &RulesInput,
    direction: Direction,
    egress: bool,
) -> Result<Value, AwsError> {
    let id = group(region, input)?;
    let mut wanted = wanted(region, input)?;
    for rule in &mut wanted {
        rule.id = region.ids.template().replacen("lt-", "sgr-", 1);
    }
    let rules = direction(network::group_mut(region, &id));
    if let Some(there) = wanted.iter().find(|rule| rules.iter().any(|known| known.is_same(rule))) {
        return Err(AwsError::new(
            "InvalidPermission.Duplicate",
            format!("the specified rule \"peer: {}, {}\" already exists", peer(there), ports(there)),
        ));
    }
    if rules.len() + wanted.len() > MOST {
        return Err(AwsError::new(
            "RulesPerSecurityGroupLimitExceeded",
            format!("A security group must not have more than {MOST} rules of one direction."),
        ));
    }
    rules.extend(wanted.iter().cloned());
    for rule in &wanted {
        tags::give(region, &rule.id, "security-group-rule", &input.tags);
    }
    let shown: Vec<Value> = wanted.iter().map(|rule| shown_rule(region, rule, &id, egress)).collect();
    Ok(json!({ "return": true, "securityGroupRuleSet": shown }))
}

fn removed(region: &mut Region, input: &RulesInput, direction: Direction) -> Result<Value, AwsError> {
    let id = group(region, input)?;
    let ids = &input.rule_ids;
    let wanted = if ids.is_empty() { wanted(region, input)? } else { Vec::new() };
    let rules = direction(network::group_mut(region, &id));
    let is_meant = |rule: &Rule| ids.contains(&rule.id) || wanted.iter().any(|meant| meant.is_same(rule));
    let missing = wanted.iter().find(|meant| !rules.iter().any(|rule| rule.is_same(meant)));
    let unknown = ids.iter().find(|id| !rules.iter().any(|rule| rule.id == **id));
    if missing.is_some() || unknown.is_some() {
        return Err(AwsError::new(
            "InvalidPermission.NotFound",
            "The specified rule does not exist in this security group.",
        ));
    }
    let taken: Vec<Rule> = rules.extract_if(.., |rule| is_meant(rule)).collect();
    forget_tags(region, &taken);
    Ok(json!({ "return": true }))
}

/// Forgets the tags of rules that there are no longer.
pub(super) fn forget_tags(region: &mut Region, rules: &[Rule]) {
    for rule in rules {
        region.resource_tags.remove(&rule.id);
    }
}

/// Whether a group has a rule with this id.
pub(super) fn is_known(region: &Region, id: &str) -> bool {
    let mut groups = network::all_groups(region).into_iter();
    groups.any(|(_, group)| group.ingress.iter().chain(&group.egress).any(|rule| rule.id == id))
}

/// The id of the group that is meant.
fn group(region: &Region, input: &RulesInput) -> Result<String, AwsError> {
    let missing =
        || AwsError::new("MissingParameter", "The request must contain the parameter groupName or groupId");
    let unknown = |name: &str| {
        AwsError::new("InvalidGroup.NotFound", format!("The security group '{name}' does not exist"))
    };
    match (&input.group_id, &input.group_name) {
        (Some(id), _) if id == DEFAULT_GROUP || region.security_groups.contains_key(id) => Ok(id.clone()),
        (Some(id), _) => Err(unknown(id)),
        (None, Some(name)) => network::id_of(region, name).ok_or_else(|| unknown(name)),
        (None, None) => Err(missing()),
    }
}

/// The rules that are asked for, one by one and without ids.
fn wanted(region: &Region, input: &RulesInput) -> Result<Vec<Rule>, AwsError> {
    let single = Permission {
        ip_protocol: input.ip_protocol.clone(),
        from_port: input.from_port,
        to_port: input.to_port,
        ip_ranges: vec![Range { cidr_ip: input.cidr_ip.clone(), ..Range::default() }],
        ..Permission::default()
    };
    let permissions = if input.ip_permissions.is_empty() {
        std::slice::from_ref(&single)
    } else {
        input.ip_permissions.as_slice()
    };
    let missing = |name: &str| {
        AwsError::new("MissingParameter", format!("The request must contain the parameter {name}"))
    };
    let mut rules = Vec::new();
    for one in permissions {
        let protocol = one.ip_protocol.clone().ok_or_else(|| missing("ipPermissions"))?;
        let protocol = match protocol.as_str() {
            "6" => "tcp".to_owned(),
            "17" => "udp".to_owned(),
            "1" => "icmp".to_owned(),
            _ => protocol,
        };
        let ports = match (protocol.as_str(), one.from_port, one.to_port) {
            ("-1", ..) => None,
            (_, Some(from), Some(to)) => Some((from, to)),
            _ => return Err(missing("FromPort and ToPort")),
        };
        if let Some((from, to)) = ports.filter(|(from, to)| !in_range(&protocol, *from, *to)) {
            let why = format!("Invalid value '{from} to {to}' for portRange.");
            return Err(AwsError::new("InvalidParameterValue", why));
        }
        let ranges = [&one.ip_ranges, &one.ipv6_ranges, &one.groups, &one.prefix_list_ids];
        let mut ranges = ranges.into_iter().flatten().peekable();
        if ranges.peek().is_none() {
            return Err(missing("CidrIp"));
        }
        for range in ranges {
            let peer = range.peer(region)?.ok_or_else(|| missing("CidrIp"))?;
            let (protocol, description) = (protocol.clone(), range.description.clone());
            rules.push(Rule { id: String::new(), protocol, ports, peer, description });
        }
    }
    Ok(rules)
}

fn in_range(protocol: &str, from: i64, to: i64) -> bool {
    match protocol {
        "tcp" | "udp" => 0 <= from && from <= to && to <= 65_535,
        _ => from >= -1 && to >= -1,
    }
}

impl Range {
    fn peer(&self, region: &Region) -> Result<Option<Peer>, AwsError> {
        let is_block = |text: &String| {
            let (address, bits) = text.split_once('/')?;
            let address: std::net::IpAddr = address.parse().ok()?;
            let most = if address.is_ipv4() { 32 } else { 128 };
            bits.parse::<u8>().ok().filter(|bits| *bits <= most)
        };
        if let Some(wrong) = self.cidr_ip.iter().chain(&self.cidr_ipv6).find(|text| is_block(text).is_none())
        {
            let why = format!("CIDR block {wrong} is malformed");
            return Err(AwsError::new("InvalidParameterValue", why));
        }
        if let Some(id) = &self.group_id {
            let known = id == DEFAULT_GROUP || region.security_groups.contains_key(id);
            let unknown = || format!("The security group '{id}' does not exist");
            return if known {
                Ok(Some(Peer::Group(id.clone())))
            } else {
                Err(AwsError::new("InvalidGroup.NotFound", unknown()))
            };
        }
        let by_name = self.group_name.as_ref().and_then(|name| network::id_of(region, name));
        let peer = self.cidr_ip.clone().map(Peer::V4).or_else(|| self.cidr_ipv6.clone().map(Peer::V6));
        let peer = peer.or_else(|| self.prefix_list_id.clone().map(Peer::Prefixes));
        Ok(peer.or_else(|| by_name.map(Peer::Group)))
    }
}

fn peer(rule: &Rule) -> &str {
    match &rule.peer {
        Peer::V4(text) | Peer::V6(text) | Peer::Group(text) | Peer::Prefixes(text) => text,
    }
}

fn ports(rule: &Rule) -> String {
    let ports =
        rule.ports.map_or_else(String::new, |(from, to)| format!(", from port: {from}, to port: {to}"));
    format!("{}{ports}, ALLOW", rule.protocol.to_uppercase())
}

/// Input of DescribeSecurityGroupRules.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DescribeInput {
    /// All when empty.
    #[serde(rename = "SecurityGroupRuleId")]
    pub ids: Vec<String>,
    /// `group-id`, `security-group-rule-id`, and those by tags.
    #[serde(rename = "Filter")]
    pub filters: Vec<Filter>,
    /// Size of the page.
    pub max_results: Option<i64>,
    /// Of the page before.
    pub next_token: Option<String>,
}

/// Describes rules one by one.
pub fn describe(region: &mut Region, input: &DescribeInput) -> Result<Value, AwsError> {
    let mut all = Vec::new();
    for (id, group) in network::all_groups(region) {
        for (rules, egress) in [(&group.ingress, false), (&group.egress, true)] {
            all.extend(rules.iter().map(|rule| shown_rule(region, rule, &id, egress)));
        }
    }
    if let Some(unknown) =
        input.ids.iter().find(|id| !all.iter().any(|one| one["securityGroupRuleId"] == ***id))
    {
        return Err(AwsError::new(
            "InvalidSecurityGroupRuleId.NotFound",
            format!("The security group rule ID '{unknown}' does not exist"),
        ));
    }
    if !input.ids.is_empty() {
        all.retain(|one| input.ids.iter().any(|id| one["securityGroupRuleId"] == **id));
    }
    keep(&mut all, &input.filters, values)?;
    let (page, next_token) = page(all, input.next_token.as_deref(), Size(input.max_results, 5, 1_000))?;
    Ok(json!({ "securityGroupRuleSet": page, "nextToken": next_token }))
}

fn values(one: &Value, filter: &str) -> Option<Vec<String>> {
    let member = match filter {
        "group-id" => "groupId",
        "security-group-rule-id" => "securityGroupRuleId",
        _ => {
            let tagged: Vec<Ec2Tag> = serde_json::from_value(one["tagSet"].clone()).unwrap_or_default();
            return tags::values(&tagged, filter);
        }
    };
    Some(one[member].as_str().map(str::to_owned).into_iter().collect())
}

fn shown_rule(region: &Region, rule: &Rule, group: &str, egress: bool) -> Value {
    let account = &region.account_id;
    let mut shown = json!({
        "securityGroupRuleId": rule.id, "groupId": group, "groupOwnerId": account, "isEgress": egress,
        "ipProtocol": rule.protocol, "description": rule.description,
        "fromPort": rule.ports.map_or(-1, |ports| ports.0), "toPort": rule.ports.map_or(-1, |ports| ports.1),
    });
    let tagged = tags::of(region, &rule.id);
    if !tagged.is_empty() {
        shown["tagSet"] = json!(tagged);
    }
    match &rule.peer {
        Peer::V4(block) => shown["cidrIpv4"] = json!(block),
        Peer::V6(block) => shown["cidrIpv6"] = json!(block),
        Peer::Group(id) => shown["referencedGroupInfo"] = json!({ "groupId": id, "userId": account }),
        Peer::Prefixes(id) => shown["prefixListId"] = json!(id),
    }
    shown
}

/// Rules as a group shows them: one for each protocol with its ports.
pub(super) fn shown(rules: &[Rule], account: &str) -> Vec<Value> {
    let mut shown: Vec<(&Rule, Value)> = Vec::new();
    for rule in rules {
        let same =
            |(first, _): &(&Rule, Value)| (&first.protocol, first.ports) == (&rule.protocol, rule.ports);
        let at = shown.iter().position(same).unwrap_or_else(|| {
            shown.push((rule, permission(rule)));
            shown.len() - 1
        });
        let (list, item) = match &rule.peer {
            Peer::V4(block) => ("ipRanges", json!({ "cidrIp": block, "description": rule.description })),
            Peer::V6(block) => ("ipv6Ranges", json!({ "cidrIpv6": block, "description": rule.description })),
            Peer::Group(id) => {
                ("groups", json!({ "groupId": id, "userId": account, "description": rule.description }))
            }
            Peer::Prefixes(id) => {
                ("prefixListIds", json!({ "prefixListId": id, "description": rule.description }))
            }
        };
        let list = shown.get_mut(at).and_then(|(_, permission)| permission[list].as_array_mut());
        if let Some(list) = list {
            list.push(item);
        }
    }
    shown.into_iter().map(|(_, permission)| permission).collect()
}

/// A rule's protocol and ports, without other sides.
fn permission(rule: &Rule) -> Value {
    let mut shown = json!({
        "ipProtocol": rule.protocol, "ipRanges": [], "ipv6Ranges": [], "groups": [], "prefixListIds": [],
    });
    if let Some((from, to)) = rule.ports {
        shown["fromPort"] = json!(from);
        shown["toPort"] = json!(to);
    }
    shown
}

/// What a filter by rules sees of a group that is shown, such as `ip-permission.cidr`. `None`: the filter is no such one.
pub(super) fn filtered(group: &Value, filter: &str) -> Option<Vec<String>> {
    let (list, part) = match filter.strip_prefix("egress.") {
        Some(rest) => ("ipPermissionsEgress", rest.strip_prefix("ip-permission.")?),
        None => ("ipPermissions", filter.strip_prefix("ip-permission.")?),
    };
    let permissions = group.get(list)?.as_array()?;
    let (peers, member) = match part {
        "cidr" => ("ipRanges", "cidrIp"),
        "ipv6-cidr" => ("ipv6Ranges", "cidrIpv6"),
        "group-id" => ("groups", "groupId"),
        "group-name" => ("groups", "groupName"),
        "user-id" => ("groups", "userId"),
        "prefix-list-id" => ("prefixListIds", "prefixListId"),
        "protocol" => return Some(texts(permissions.iter(), "ipProtocol")),
        "from-port" => return Some(texts(permissions.iter(), "fromPort")),
        "to-port" => return Some(texts(permissions.iter(), "toPort")),
        _ => return None,
    };
    Some(texts(permissions.iter().filter_map(|one| one[peers].as_array()).flatten(), member))
}

fn texts<'a>(items: impl Iterator<Item = &'a Value>, member: &str) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    items.filter_map(|item| item.get(member)).map(text).collect()
}
