//! The page and what it is made of.

/// One file that is served as it is.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// Path on the server.
    pub path: &'static str,
    /// Media type.
    pub kind: &'static str,
    /// Text.
    pub text: &'static str,
}

macro_rules! assets {
    ($($path:literal $file:literal $kind:literal;)*) => {
        /// Every file.
        pub const ALL: &[Asset] = &[
            $(Asset { path: $path, kind: $kind, text: include_str!(concat!("../assets/", $file)) },)*
        ];
    };
}

assets! {
    "/" "index.html" "text/html; charset=utf-8";
    "/console/style.css" "style.css" "text/css; charset=utf-8";
    "/console/uplot.css" "uplot.css" "text/css; charset=utf-8";
    "/console/uplot.js" "uplot.js" "text/javascript; charset=utf-8";
    "/console/app.js" "app.js" "text/javascript; charset=utf-8";
    "/console/server.js" "server.js" "text/javascript; charset=utf-8";
    "/console/page.js" "page.js" "text/javascript; charset=utf-8";
    "/console/fleet.js" "fleet.js" "text/javascript; charset=utf-8";
    "/console/group.js" "group.js" "text/javascript; charset=utf-8";
    "/console/decision.js" "decision.js" "text/javascript; charset=utf-8";
    "/console/actions.js" "actions.js" "text/javascript; charset=utf-8";
    "/console/charts.js" "charts.js" "text/javascript; charset=utf-8";
    "/console/icon.svg" "icon.svg" "image/svg+xml";
}

/// Bytes of everything that a first visit loads, without the data.
pub fn weight() -> usize {
    ALL.iter().map(|asset| asset.text.len()).sum()
}
