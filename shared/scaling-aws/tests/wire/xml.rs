//! Answers of EC2 Auto Scaling.

use std::fmt::Write;

use crate::script::Reply;

/// A good answer: `result` inside the operation's envelope.
pub(crate) fn answer(operation: &str, result: &str) -> Reply {
    raw(
        200,
        &format!(
            "<{operation}Response xmlns=\"http://autoscaling.amazonaws.com/doc/2011-01-01/\">\
             <{operation}Result>{result}</{operation}Result>\
             <ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></{operation}Response>"
        ),
    )
}

/// An error of the service.
pub(crate) fn error(status: u16, code: &str, message: &str) -> Reply {
    raw(
        status,
        &format!(
            "<ErrorResponse xmlns=\"http://autoscaling.amazonaws.com/doc/2011-01-01/\"><Error>\
             <Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
             <RequestId>r-1</RequestId></ErrorResponse>"
        ),
    )
}

/// Any body.
pub(crate) fn raw(status: u16, body: &str) -> Reply {
    Reply::Answer { status, headers: vec![("content-type", "text/xml".to_owned())], body: body.into() }
}

/// `<name><member>..</member>..</name>`.
pub(crate) fn list<T: AsRef<str>>(name: &str, members: impl IntoIterator<Item = T>) -> String {
    let mut text = format!("<{name}>");
    for member in members {
        let _ = write!(text, "<member>{}</member>", member.as_ref());
    }
    text + &format!("</{name}>")
}

/// The least that the service says of a group, and `more`.
pub(crate) fn group(name: &str, more: &str) -> String {
    format!(
        "<AutoScalingGroupName>{name}</AutoScalingGroupName><MinSize>1</MinSize><MaxSize>10</MaxSize>\
         <DesiredCapacity>3</DesiredCapacity>{more}"
    )
}

/// A launch template specification in `element`, as an answer gives it: with id and name.
pub(crate) fn template(element: &str, version: &str) -> String {
    format!(
        "<{element}><LaunchTemplateId>lt-1</LaunchTemplateId><LaunchTemplateName>web</LaunchTemplateName>\
         <Version>{version}</Version></{element}>"
    )
}

/// A good answer with these groups.
pub(crate) fn groups<T: AsRef<str>>(groups: impl IntoIterator<Item = T>) -> Reply {
    answer("DescribeAutoScalingGroups", &list("AutoScalingGroups", groups))
}
