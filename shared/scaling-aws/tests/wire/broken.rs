//! Real sockets whose other side breaks off, stays silent or is not there.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use scaling_aws::{AwsClients, AwsPlatform};
use scaling_control::PortError;
use scaling_control::ports::GroupReader;

use crate::clients::{answer, settings};
use crate::script::group;
use crate::xml;

/// Lets `misbehave` have the first connection and answers on every later one; counts connections.
fn server(misbehave: impl FnOnce(TcpStream) + Send + 'static) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    thread::spawn(move || {
        misbehave(listener.accept().unwrap().0);
        count.fetch_add(1, Ordering::SeqCst);
        for stream in listener.incoming() {
            count.fetch_add(1, Ordering::SeqCst);
            let _ = answer(stream.unwrap(), xml::groups([xml::group("web", "")]));
        }
    });
    (address, connections)
}

async fn describe(endpoint: &str) -> Result<usize, PortError> {
    let platform = AwsPlatform::new(Arc::new(AwsClients::new(settings(endpoint))));
    platform.describe(&[group("web")]).await.map(|found| found.len())
}

#[tokio::test]
async fn a_connection_that_is_closed_before_the_answer_is_tried_again() {
    let (address, connections) = server(|stream| stream.shutdown(Shutdown::Both).unwrap());
    assert_eq!(describe(&format!("http://{address}")).await.unwrap(), 1);
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_tried_again_on_another_connection() {
    let (address, connections) = server(|mut stream| {
        let mut asked = [0; 64];
        assert!(stream.read(&mut asked).unwrap() > 0);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-le").unwrap();
    });
    assert_eq!(describe(&format!("http://{address}")).await.unwrap(), 1);
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_greets_back_is_given_up_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let error = describe(&format!("https://{}", listener.local_addr().unwrap())).await.unwrap_err();
    assert!(error.to_string().contains("no connection within 2s"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn where_nobody_listens_the_call_is_unavailable() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = describe(&format!("http://{closed}")).await.unwrap_err();
    assert_eq!(error.kind(), "unavailable");
    assert!(error.to_string().to_lowercase().contains("refused"), "{error}");
}
