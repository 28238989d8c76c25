//! A state table as the template makes it, on moto's server: dynalite knows no transactions.

use std::ops::Deref;

use crate::moto::Moto;

/// Its name.
pub(crate) const NAME: &str = "scaling-state";

/// A server of its own with the table; it ends when this is dropped.
pub(crate) struct Table(Moto);

impl Table {
    pub(crate) fn start() -> Self {
        let server = Moto::start();
        let keys = ["AttributeName=pk,KeyType=HASH", "AttributeName=sk,KeyType=RANGE"];
        let types = ["AttributeName=pk,AttributeType=S", "AttributeName=sk,AttributeType=S"];
        let create = ["dynamodb", "create-table", "--billing-mode", "PAY_PER_REQUEST", "--table-name", NAME];
        let all = [&create[..], &["--key-schema"], &keys, &["--attribute-definitions"], &types];
        server.aws(&all.concat());
        Self(server)
    }
}

impl Deref for Table {
    type Target = Moto;

    fn deref(&self) -> &Moto {
        &self.0
    }
}
