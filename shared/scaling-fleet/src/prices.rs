//! What instance types cost: one price list per region, as published on a stated day.
//!
//! The figures are data (`data/prices_<region>.csv`) and parsed on first use. A price that no published list backs
//! is marked approximate, so that whoever shows a cost can say so.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::catalogue::{CatalogueError, Table};
use crate::units::{TypeName, UsdPerHour};

const COLUMNS: [&str; 3] = ["name", "usd_per_hour", "approximate"];

/// The region whose prices stand in for a region that has no list.
pub const DEFAULT_REGION: &str = "us-east-1";

/// What one instance of a type costs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// US dollars per instance and hour, above 0.
    pub usd_per_hour: UsdPerHour,
    /// Whether it was computed from other prices instead of read from a published list.
    pub approximate: bool,
}

/// On which terms the instances of a group are bought.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Terms {
    /// Share of the instances, 0 to 1, that are spot.
    pub spot_share: f64,
    /// Share of the on-demand price, 0 up to but not 1, that a savings plan takes off. It takes nothing off spot instances.
    pub discount: f64,
}

/// Where a price list comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Who published the figures, and which version was read.
    pub source: String,
    /// The day on which the source read them from AWS.
    pub date: Date,
    /// The AWS region, such as `eu-west-1`.
    pub region: String,
    /// Whether at least one price of the list is approximate.
    pub approximate: bool,
}

/// A fault in a price list, with the place and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceBookError {
    /// A fault in the columns or in a row.
    #[error(transparent)]
    Table(#[from] CatalogueError),
    /// The list does not say where it comes from.
    #[error("line 1: there is no line `# {key}: ...`; add it above the line that names the columns")]
    MissingProvenance {
        /// What it does not say: `source`, `date` or `region`.
        key: &'static str,
    },
    /// The day of the list is not a date.
    #[error("line {line}, column 1 (`# date`): `{value}` is not a date; write it as YYYY-MM-DD")]
    Date {
        /// The line, counted from 1.
        line: usize,
        /// The value as written.
        value: String,
    },
    /// The prices are in another currency.
    #[error("line {line}, column 1 (`# currency`): `{value}` is not USD; convert the prices to USD per hour")]
    Currency {
        /// The line, counted from 1.
        line: usize,
        /// The value as written.
        value: String,
    },
}

/// The prices of one region: Linux, shared tenancy, on demand. Without discounts, taxes, storage or transfer.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceBook {
    provenance: Provenance,
    prices: BTreeMap<TypeName, Price>,
    /// What the user says that a spot instance costs; no list is shipped, because these move by the hour.
    spot: BTreeMap<TypeName, UsdPerHour>,
}

struct Embedded {
    region: &'static str,
    text: &'static str,
    book: OnceLock<PriceBook>,
}

impl Embedded {
    const fn new(region: &'static str, text: &'static str) -> Self {
        Self { region, text, book: OnceLock::new() }
    }

    fn book(&'static self) -> &'static PriceBook {
        self.book.get_or_init(|| PriceBook::lenient(self.region, self.text))
    }
}

static DEFAULT: Embedded = Embedded::new(DEFAULT_REGION, include_str!("../data/prices_us-east-1.csv"));
static OTHERS: [Embedded; 3] = [
    Embedded::new("eu-west-1", include_str!("../data/prices_eu-west-1.csv")),
    Embedded::new("eu-central-1", include_str!("../data/prices_eu-central-1.csv")),
    Embedded::new("ap-south-1", include_str!("../data/prices_ap-south-1.csv")),
];

fn all() -> impl Iterator<Item = &'static Embedded> {
    std::iter::once(&DEFAULT).chain(&OTHERS)
}

impl PriceBook {
    /// The list of a region that this build knows, parsed on the first call; `None` for any other region.
    pub fn embedded(region: &str) -> Option<&'static Self> {
        all().find(|each| each.region == region).map(Embedded::book)
    }

    /// The list of this region, or that of [`DEFAULT_REGION`] when there is none for it or no region is given.
    /// [`Self::provenance`] says which it is.
    pub fn embedded_or_default(region: Option<&str>) -> &'static Self {
        region.and_then(Self::embedded).unwrap_or_else(|| DEFAULT.book())
    }

    /// The regions for which [`Self::embedded`] has a list, [`DEFAULT_REGION`] first. Parses nothing.
    pub fn regions() -> impl Iterator<Item = &'static str> {
        all().map(|each| each.region)
    }

    /// Reads a list from CSV: lines `# source: ...`, `# date: YYYY-MM-DD` and `# region: ...` (`# currency:`, if
    /// there, must be USD), then columns `name`, `usd_per_hour` and `approximate` (`true`, `false`) in any order,
    /// further columns ignored.
    ///
    /// # Errors
    /// The first fault, with its line and column: provenance missing, a column or field missing, a value out of
    /// range, a name twice.
    pub fn parse(text: &str) -> Result<Self, PriceBookError> {
        let provenance = read_provenance(text)?;
        let prices: BTreeMap<_, _> = read_prices(text)?.collect::<Result<_, _>>()?;
        Ok(Self::new(provenance, prices))
    }

    /// Like [`Self::parse`], leaving out what is faulty. Tests prove that nothing embedded is.
    fn lenient(region: &str, text: &str) -> Self {
        let provenance = read_provenance(text).unwrap_or_else(|_| Provenance {
            source: "unknown".to_owned(),
            date: Date::ZERO,
            region: region.to_owned(),
            approximate: true,
        });
        let prices = read_prices(text).map_or_else(|_| BTreeMap::new(), |rows| rows.flatten().collect());
        Self::new(provenance, prices)
    }

    fn new(mut provenance: Provenance, prices: BTreeMap<TypeName, Price>) -> Self {
        provenance.approximate |= prices.values().any(|price| price.approximate);
        Self { provenance, prices, spot: BTreeMap::new() }
    }

    /// The price of a type; `None` when it is not known, as for a type that the region does not offer.
    pub fn get(&self, name: &TypeName) -> Option<Price> {
        self.prices.get(name).copied()
    }

    /// The same list with one price replaced or added: what the account really pays, so it is not approximate.
    /// The provenance stays that of the list.
    #[must_use]
    pub fn with_override(mut self, name: TypeName, usd_per_hour: UsdPerHour) -> Self {
        self.prices.insert(name, Price { usd_per_hour, approximate: false });
        self
    }

    /// The same list with what a spot instance of a type costs.
    #[must_use]
    pub fn with_spot(mut self, name: TypeName, usd_per_hour: UsdPerHour) -> Self {
        self.spot.insert(name, usd_per_hour);
        self
    }

    /// What a spot instance of a type costs; `None` when it is not known.
    pub fn spot(&self, name: &TypeName) -> Option<UsdPerHour> {
        self.spot.get(name).copied()
    }

    /// What one of many instances costs that are bought on these terms. Spot instances without a known price count at the
    /// on-demand price, so that a cost is rather too high than too low. `None` as for [`Self::get`].
    pub fn on_terms(&self, name: &TypeName, terms: Terms) -> Option<UsdPerHour> {
        let Terms { spot_share, discount } = terms;
        let listed = self.get(name)?.usd_per_hour;
        let spot = self.spot(name).unwrap_or(listed);
        Some(UsdPerHour(listed.0 * (1.0 - discount) * (1.0 - spot_share) + spot.0 * spot_share))
    }

    /// Where the list comes from, of which day and for which region.
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// All prices, by the name of the type.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&TypeName, Price)> {
        self.prices.iter().map(|(name, price)| (name, *price))
    }

    /// How many types have a price.
    pub fn len(&self) -> usize {
        self.prices.len()
    }

    /// Whether no type has a price.
    pub fn is_empty(&self) -> bool {
        self.prices.is_empty()
    }
}

type PriceResult = Result<(TypeName, Price), CatalogueError>;

fn read_prices(text: &str) -> Result<impl Iterator<Item = PriceResult>, CatalogueError> {
    Ok(Table::open(text, COLUMNS)?.map(|row| {
        let [name, usd_per_hour, approximate] = row?;
        let price = Price {
            usd_per_hour: UsdPerHour(usd_per_hour.positive()?),
            approximate: approximate.word::<Flag>()?.0,
        };
        Ok((name.type_name()?, price))
    }))
}

/// `true` or `false`; `bool` itself does not name the words that it expects.
struct Flag(bool);

impl std::str::FromStr for Flag {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        word.parse().map(Self).map_err(|_| "expected `true` or `false`")
    }
}

fn read_provenance(text: &str) -> Result<Provenance, PriceBookError> {
    let required = |key| entry(text, key).ok_or(PriceBookError::MissingProvenance { key });
    if let Some((line, currency)) = entry(text, "currency")
        && currency != "USD"
    {
        return Err(PriceBookError::Currency { line, value: currency.to_owned() });
    }
    let (line, date) = required("date")?;
    Ok(Provenance {
        source: required("source")?.1.to_owned(),
        date: date.parse().map_err(|_| PriceBookError::Date { line, value: date.to_owned() })?,
        region: required("region")?.1.to_owned(),
        approximate: false,
    })
}

/// The value of `# key: value` with its line, from the lines above the columns.
fn entry<'a>(text: &'a str, key: &str) -> Option<(usize, &'a str)> {
    text.lines().zip(1..).map_while(|(line, number)| Some((number, line.strip_prefix('#')?))).find_map(
        |(number, comment)| {
            let (name, value) = comment.split_once(':')?;
            let value = value.trim();
            (name.trim() == key && !value.is_empty()).then_some((number, value))
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;

    const HEAD: &str = "# source: a list\n# date: 2026-02-09\n# region: eu-north-1\n";

    fn us_east_1() -> &'static PriceBook {
        PriceBook::embedded("us-east-1").unwrap()
    }

    fn usd(book: &PriceBook, name: &str) -> f64 {
        book.get(&name.into()).unwrap().usd_per_hour.0
    }

    #[test]
    fn a_mix_costs_the_mean_of_what_its_instances_cost() {
        let book = us_east_1().clone().with_spot("m5.large".into(), UsdPerHour(0.032));
        let mixed = |name: &str, spot_share: f64| {
            let terms = Terms { spot_share, discount: 0.0 };
            book.on_terms(&name.into(), terms).map(|price| price.0)
        };
        let near = |seen: Option<f64>, wanted: f64| (seen.unwrap() - wanted).abs() < 1e-12;
        assert!(near(mixed("m5.large", 0.0), 0.096));
        assert!(near(mixed("m5.large", 0.75), 0.048));
        // Without a spot price nothing is taken off.
        assert!(near(mixed("m5.xlarge", 0.75), 0.192));
        assert_eq!(mixed("no.type", 0.5), None);
    }

    #[test]
    fn a_savings_plan_takes_its_share_off_what_is_on_demand() {
        let book = us_east_1().clone().with_spot("m5.large".into(), UsdPerHour(0.032));
        let paid = |name: &str, spot_share: f64| {
            book.on_terms(&name.into(), Terms { spot_share, discount: 0.25 }).unwrap().0
        };
        for (name, spot_share, expected) in [
            ("m5.large", 0.0, 0.072),
            ("m5.large", 0.5, 0.052),
            ("m5.large", 1.0, 0.032),
            ("m5.xlarge", 1.0, 0.192),
        ] {
            assert!((paid(name, spot_share) - expected).abs() < 1e-12, "{name} {spot_share}");
        }
    }

    #[test]
    fn every_embedded_row_parses() {
        for each in all() {
            let strict = PriceBook::parse(each.text).unwrap();
            assert_eq!(&strict, each.book());
            assert_eq!(strict.provenance().region, each.region);
            let rows = each.text.lines().filter(|line| !line.starts_with('#')).count() - 1;
            assert_eq!(strict.len(), rows);
            assert!(rows >= 200, "{}: {rows} prices", each.region);
            assert!(strict.provenance().date.year() >= 2025);
        }
    }

    #[test]
    fn every_type_has_a_published_price_in_the_default_region() {
        for each in Catalogue::embedded().iter() {
            let price = us_east_1().get(&each.name);
            assert!(price.is_some_and(|price| !price.approximate), "{}", each.name);
        }
        assert_eq!(us_east_1().len(), Catalogue::embedded().len());
        assert!(!us_east_1().provenance().approximate);
    }

    #[test]
    fn every_price_is_of_a_type_in_the_catalogue() {
        for each in all() {
            for (name, _) in each.book().iter() {
                assert!(Catalogue::embedded().get(name).is_some(), "{}: {name}", each.region);
            }
        }
    }

    /// As generated on 2026-02-09 in aws/karpenter-provider-aws@265ee0ba.
    #[test]
    fn well_known_prices_in_the_default_region() {
        let published = [
            ("t3.micro", 0.0104),
            ("t3.medium", 0.0416),
            ("t3a.small", 0.0188),
            ("t4g.nano", 0.0042),
            ("t4g.large", 0.0672),
            ("m5.large", 0.096),
            ("m6i.xlarge", 0.192),
            ("m6g.large", 0.077),
            ("m7i.large", 0.1008),
            ("m7i-flex.large", 0.09576),
            ("m7g.2xlarge", 0.3264),
            ("m7a.large", 0.11592),
            ("m8g.large", 0.08976),
            ("c5.18xlarge", 3.06),
            ("c6a.large", 0.0765),
            ("c7i.large", 0.08925),
            ("c7g.medium", 0.0363),
            ("c8g.48xlarge", 7.65696),
            ("r7i.large", 0.1323),
            ("r8g.xlarge", 0.23564),
        ];
        for (name, price) in published {
            let difference = usd(us_east_1(), name) - price;
            assert!(difference.abs() < 1e-9, "{name}: off by {difference}");
        }
    }

    /// As in the EC2 Linux prices of apache-libcloud 3.9.1, of 2025-03-02.
    #[test]
    fn well_known_prices_in_other_regions() {
        let published = [
            ("eu-west-1", "t3.micro", 0.0114),
            ("eu-west-1", "c7i-flex.xlarge", 0.18194),
            ("eu-central-1", "m7i.large", 0.12075),
            ("eu-central-1", "t4g.small", 0.0192),
            ("ap-south-1", "c7i.large", 0.08925),
            ("ap-south-1", "r7i.large", 0.1365),
        ];
        for (region, name, price) in published {
            let found = PriceBook::embedded(region).unwrap().get(&name.into()).unwrap();
            let difference = found.usd_per_hour.0 - price;
            assert!(difference.abs() < 1e-9, "{region} {name}: off by {difference}");
            assert!(!found.approximate, "{region} {name}");
        }
    }

    /// A price of another tenancy or a slipped decimal point would stand out in its family.
    #[test]
    fn within_a_family_every_vcpu_costs_the_same() {
        for each in all() {
            for kind in Catalogue::embedded().iter().filter(|kind| !kind.name.as_str().starts_with('t')) {
                let of_vcpu = |name: &TypeName, vcpu: f64| {
                    each.book().get(name).map(|price| price.usd_per_hour.0 / vcpu)
                };
                let largest = Catalogue::embedded().family(kind.name.family()).last().unwrap();
                if let (Some(here), Some(there)) =
                    (of_vcpu(&kind.name, kind.vcpu.0), of_vcpu(&largest.name, largest.vcpu.0))
                {
                    let ratio = here / there;
                    assert!((0.985..1.02).contains(&ratio), "{} {}: {ratio}", each.region, kind.name);
                }
            }
        }
    }

    #[test]
    fn an_unknown_region_falls_back_and_says_so() {
        let regions: Vec<_> = PriceBook::regions().collect();
        assert_eq!(regions, ["us-east-1", "eu-west-1", "eu-central-1", "ap-south-1"]);
        for region in regions {
            assert_eq!(PriceBook::embedded_or_default(Some(region)).provenance().region, region);
        }
        assert!(PriceBook::embedded("mars-north-1").is_none());
        for region in [None, Some("mars-north-1"), Some("")] {
            assert_eq!(PriceBook::embedded_or_default(region).provenance().region, DEFAULT_REGION);
        }
    }

    #[test]
    fn an_override_replaces_or_adds_one_price() {
        let negotiated = UsdPerHour(0.08);
        let book = PriceBook::embedded("eu-west-1")
            .unwrap()
            .clone()
            .with_override("m7i.large".into(), negotiated)
            .with_override("x9.large".into(), negotiated);
        let expected = Some(Price { usd_per_hour: negotiated, approximate: false });
        assert_eq!(book.get(&"m7i.large".into()), expected);
        assert_eq!(book.get(&"x9.large".into()), expected);
        assert_eq!(book.len(), PriceBook::embedded("eu-west-1").unwrap().len() + 1);
        assert_eq!(
            book.get(&"c7i.large".into()),
            PriceBook::embedded("eu-west-1").unwrap().get(&"c7i.large".into())
        );
    }

    #[test]
    fn a_list_tells_where_it_comes_from() {
        let text = format!("{HEAD}# currency: USD\nname,usd_per_hour,approximate\nm7i.large,0.1,true\n");
        let book = PriceBook::parse(&text).unwrap();
        let expected = Provenance {
            source: "a list".to_owned(),
            date: Date::constant(2026, 2, 9),
            region: "eu-north-1".to_owned(),
            approximate: true,
        };
        assert_eq!(book.provenance(), &expected);
        assert!(!book.is_empty());
    }

    #[test]
    fn faults_name_line_column_and_fix() {
        let cases = [
            (
                format!("{HEAD}name,usd_per_hour,approximate\nm7i.large,$1,false\n"),
                "line 5, column 2 (`usd_per_hour`): `$1` is not a number above 0; write one with a decimal point and no unit",
            ),
            (
                format!("{HEAD}name,usd_per_hour,approximate\nm7i.large,0.1,no\n"),
                "line 5, column 3 (`approximate`): `no` is not known here; expected `true` or `false`",
            ),
            (
                format!("{HEAD}name,usd_per_hour,approximate\nm7i.large,0.1,false\nm7i.large,0.2,false\n"),
                "line 6, column 1 (`name`): `m7i.large` is already on line 5; remove one of the two",
            ),
            (
                format!("{HEAD}name,price,approximate\n"),
                "line 4: there is no column `usd_per_hour`; name the columns in this line: name, usd_per_hour, approximate",
            ),
            (
                HEAD.replace("2026-02-09", "yesterday"),
                "line 2, column 1 (`# date`): `yesterday` is not a date; write it as YYYY-MM-DD",
            ),
            (
                format!("{HEAD}# currency: EUR\n"),
                "line 4, column 1 (`# currency`): `EUR` is not USD; convert the prices to USD per hour",
            ),
            (
                HEAD.replace("region", "place"),
                "line 1: there is no line `# region: ...`; add it above the line that names the columns",
            ),
        ];
        for (text, message) in cases {
            assert_eq!(PriceBook::parse(&text).unwrap_err().to_string(), message);
        }
    }
}
