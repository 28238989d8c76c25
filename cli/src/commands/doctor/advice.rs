//! What an error of a call means to somebody who has to mend it.

use scaling_control::PortError;

/// What to do about a call that failed.
pub(super) fn advice(error: &PortError) -> String {
    let text = chain(error);
    let says = |word: &str| text.to_ascii_lowercase().contains(word);
    match error {
        PortError::Denied { .. } if says("no usable credentials") || says("credential") => {
            "give credentials: AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a role".to_owned()
        }
        PortError::Denied { .. } if says("security token") || says("signature") => {
            "renew the credentials (`aws sso login`), and look at the machine's clock".to_owned()
        }
        PortError::Denied { .. } => {
            "attach the policy of the template's functions to this identity, or add the action named above"
                .to_owned()
        }
        PortError::Invalid { .. } if says("region") => {
            "name the region: AWS_REGION, or `region` in the configuration".to_owned()
        }
        PortError::Invalid { .. } => "the request itself is wrong: see what the service says".to_owned(),
        PortError::NotFound { .. } => "put the name right, or check account and region".to_owned(),
        PortError::Throttled { .. } => "wait: the account's rate of calls is used up by somebody".to_owned(),
        PortError::Conflict { .. } => "another change is running; look again when it has ended".to_owned(),
        PortError::Unavailable { .. } if says("credential") => {
            "give credentials: AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a role".to_owned()
        }
        PortError::Unavailable { .. } if says("missing signing region") || says("region must be set") => {
            "name the region: AWS_REGION, or `region` in the configuration".to_owned()
        }
        PortError::Unavailable { .. }
            if says("connect") || says("dns") || says("io error") || says("refused") =>
        {
            "nothing answers at that address: look at AWS_ENDPOINT_URL, the region's name, proxy and network"
                .to_owned()
        }
        PortError::Unavailable { .. } if says("time") => {
            "the service did not answer in time: look at network, VPC endpoints and security groups"
                .to_owned()
        }
        PortError::Unavailable { .. } => {
            "try again; if it stays, look at the service's health page".to_owned()
        }
    }
}

/// An error with its causes.
pub(super) fn chain(error: &PortError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !text.contains(&words) {
            text = text + ": " + &words;
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_advice_fits_what_went_wrong() {
        let denied = |message: &str| PortError::Denied { operation: "call", message: message.to_owned() };
        let unavailable = |message: &str| PortError::Unavailable {
            operation: "call",
            message: message.to_owned(),
            source: None,
        };
        for (error, word) in [
            (denied("no usable credentials: none in the chain"), "AWS_PROFILE"),
            (denied("The security token included in the request is expired"), "renew"),
            (denied("not authorized (the action needed is autoscaling:SetDesiredCapacity)"), "policy"),
            (unavailable("dispatch failure: io error: Connection refused"), "AWS_ENDPOINT_URL"),
            (unavailable("no answer in time"), "VPC endpoints"),
            (
                PortError::Invalid {
                    operation: "call",
                    message: "Invalid Configuration: Missing Region".to_owned(),
                },
                "AWS_REGION",
            ),
            (PortError::NotFound { what: "table x".to_owned() }, "name"),
        ] {
            assert!(advice(&error).contains(word), "{error}: {}", advice(&error));
        }
    }
}
