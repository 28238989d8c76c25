//! An HTTP client that answers by a script and keeps what was sent.

use std::fmt;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use scaling_aws::{AwsClients, AwsPlatform, AwsSettings, Credentials};
use scaling_policy::config::GroupConfig;

/// A request as it left.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) uri: String,
    pub(crate) body: Vec<u8>,
}

impl Sent {
    /// The fields of a form body, in order.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        serde_urlencoded::from_bytes(&self.body).unwrap()
    }

    /// One field of a form body.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        self.form().into_iter().find(|(field, _)| field == name).map(|(_, value)| value)
    }

    /// The operation: the form's action, or the end of the path.
    pub(crate) fn operation(&self) -> String {
        self.uri
            .rsplit_once("/operation/")
            .map_or_else(|| self.field("Action").unwrap_or_default(), |(_, operation)| operation.to_owned())
    }
}

/// What comes back.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// An HTTP response.
    Answer { status: u16, headers: Vec<(&'static str, String)>, body: Vec<u8> },
    /// Nothing, ever.
    Silence,
    /// No connection.
    Refused,
}

type Respond = dyn Fn(&Sent, usize) -> Reply + Send + Sync;

/// The script, and what was sent to it.
#[derive(Clone)]
pub(crate) struct Script {
    respond: Arc<Respond>,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl Script {
    /// Answers each request by `respond`, which gets the request and how many came before it.
    pub(crate) fn new(respond: impl Fn(&Sent, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self { respond: Arc::new(respond), sent: Arc::default() }
    }

    /// Answers the requests by these replies in turn.
    pub(crate) fn of(replies: impl IntoIterator<Item = Reply>) -> Self {
        let replies: Vec<_> = replies.into_iter().collect();
        Self::new(move |sent, before| {
            replies
                .get(before)
                .cloned()
                .unwrap_or_else(|| panic!("one request too many: {}", sent.operation()))
        })
    }

    /// The platform behind this script.
    pub(crate) fn platform(&self) -> AwsPlatform {
        let settings = AwsSettings {
            endpoint: Some("http://aws.test".to_owned()),
            region: Some("eu-central-1".to_owned()),
            credentials: Some(Credentials::new("key", "secret", None, None, "test")),
            ..AwsSettings::default()
        };
        AwsPlatform::new(Arc::new(AwsClients::with_http_client(settings, self.clone())))
    }

    /// Everything that was sent.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }

    /// The only request that was sent, as form fields.
    #[track_caller]
    pub(crate) fn only_form(&self) -> Vec<(String, String)> {
        let sent = self.sent();
        assert_eq!(sent.len(), 1, "one request");
        sent[0].form()
    }
}

/// Form fields to compare with.
pub(crate) fn form(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The configuration of a group of that name.
pub(crate) fn group(name: &str) -> Arc<GroupConfig> {
    Arc::new(GroupConfig::with_defaults(name))
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Script")
    }
}

impl HttpConnector for Script {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let sent = Sent {
            uri: request.uri().to_owned(),
            body: request.body().bytes().expect("a body in memory").to_vec(),
        };
        let before = {
            let mut all = self.sent.lock().unwrap();
            all.push(sent.clone());
            all.len() - 1
        };
        match (self.respond)(&sent, before) {
            Reply::Answer { status, headers, body } => {
                let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
                for (name, value) in headers {
                    response.headers_mut().insert(name, value);
                }
                HttpConnectorFuture::ready(Ok(response))
            }
            Reply::Silence => HttpConnectorFuture::new(std::future::pending()),
            Reply::Refused => {
                HttpConnectorFuture::ready(Err(ConnectorError::io("connection refused".into())))
            }
        }
    }
}

impl HttpClient for Script {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
