//! What protects the listeners of `scaling run`: from files, or from Secrets Manager.

use std::sync::Arc;

use anyhow::Result;
use scaling::serve::Protection;
use scaling::serve::document::{Document, Place};
use scaling::serve::tls::TlsFiles;
use scaling::serve::tokens::Tokens;
use scaling_aws::AwsClients;
use scaling_aws::secrets::SecretReader;

use crate::arguments::ListenArguments;

/// Reads what the arguments name. Secrets are asked for with the standard AWS environment, now and from then on.
pub(crate) async fn protection(arguments: &ListenArguments) -> Result<Protection> {
    let secrets = Arc::new(SecretReader::new(AwsClients::from_environment()));
    let tls = match (&arguments.tls_certificate, &arguments.tls_key) {
        (Some(certificate), Some(key)) => Some(TlsFiles {
            certificate: open(certificate, &secrets).await?,
            key: open(key, &secrets).await?,
        }),
        _ => None,
    };
    let tokens = match &arguments.tokens {
        Some(place) => Some(Arc::new(Tokens::read(open(place, &secrets).await?)?)),
        None => None,
    };
    Ok(Protection { tls, tokens, requests_per_second: arguments.rate_limit })
}

async fn open(place: &Place, secrets: &Arc<SecretReader>) -> Result<Arc<Document>> {
    let document = Arc::new(Document::open(place.clone(), secrets).await?);
    if matches!(place, Place::Secret(_)) {
        tokio::spawn(Document::follow(Arc::downgrade(&document), Arc::clone(secrets)));
    }
    Ok(document)
}
