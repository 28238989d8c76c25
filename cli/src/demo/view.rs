//! What the demo shows while it runs: a live view on a terminal, lines elsewhere, nothing with `--json`.

use std::collections::VecDeque;
use std::io::{self, IsTerminal};
use std::time::Duration;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::symbols::Marker;
use ratatui::text::Line;
use ratatui::widgets::{Axis, Block, Chart, Dataset, Gauge, GraphType, Paragraph, Wrap};
use ratatui::{DefaultTerminal, Frame};

use crate::failure::Interrupted;
use crate::output;

/// Decisions shown at once.
const DECISIONS: usize = 8;

/// One evaluated minute, as far as it is shown.
#[derive(Debug, Clone)]
pub(crate) struct Minute {
    pub(crate) at: Timestamp,
    pub(crate) day: f64,
    pub(crate) busy_vcpu: f64,
    pub(crate) serving_vcpu: f64,
    pub(crate) serving: u32,
    pub(crate) desired: u32,
    pub(crate) instance_type: String,
    pub(crate) latency_ms: Option<f64>,
    pub(crate) cost_usd: f64,
    pub(crate) share_over: f64,
    /// The decision's sentence, when it changed something.
    pub(crate) decision: Option<String>,
}

/// How the demo shows itself.
pub(crate) enum View {
    /// Full screen.
    Live(Box<Live>),
    /// A line for each change, and a progress bar on a terminal.
    Lines(ProgressBar),
    /// Progress bar on standard error only.
    Quiet(ProgressBar),
}

/// The full-screen view.
pub(crate) struct Live {
    terminal: DefaultTerminal,
    days: f64,
    load: Vec<(f64, f64)>,
    capacity: Vec<(f64, f64)>,
    decisions: VecDeque<String>,
    last: Option<Minute>,
}

impl View {
    /// The live view where standard output is a terminal, unless lines or JSON were asked for.
    pub(crate) fn open(plain: bool, json: bool, days: f64) -> Self {
        let bar = || {
            let bar = ProgressBar::new(100);
            let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {msg}  {elapsed_precise}");
            if let Ok(style) = style {
                bar.set_style(style);
            }
            bar
        };
        if json {
            return Self::Quiet(bar());
        }
        if plain || !io::stdout().is_terminal() {
            return Self::Lines(bar());
        }
        // Without a terminal to read keys from there would be no way to end it.
        let Ok(terminal) = ratatui::try_init() else { return Self::Lines(bar()) };
        Self::Live(Box::new(Live {
            terminal,
            days,
            load: Vec::new(),
            capacity: Vec::new(),
            decisions: VecDeque::new(),
            last: None,
        }))
    }

    /// Takes one minute in and shows it. `progress` is 0 to 1. Fails with [`Interrupted`] where a key says so.
    pub(crate) fn show(&mut self, minute: Minute, progress: f64) -> Result<()> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a percentage")]
        let percent = (progress * 100.0) as u64;
        match self {
            Self::Live(live) => live.show(minute, progress),
            Self::Lines(bar) => {
                bar.set_position(percent);
                bar.set_message(format!("day {:.1}", minute.day));
                if let Some(decision) = &minute.decision {
                    let line = format!("{}  {decision}", minute.at.strftime("%a %H:%M"));
                    // Where the bar is hidden (no terminal), its own printing is hidden too.
                    bar.suspend(|| output::line(line))?;
                }
                Ok(())
            }
            Self::Quiet(bar) => {
                bar.set_position(percent);
                bar.set_message(format!("day {:.1}", minute.day));
                Ok(())
            }
        }
    }

    /// Gives the terminal back.
    pub(crate) fn close(self) {
        match self {
            Self::Live(_) => ratatui::restore(),
            Self::Lines(bar) | Self::Quiet(bar) => bar.finish_and_clear(),
        }
    }
}

impl Live {
    fn show(&mut self, minute: Minute, progress: f64) -> Result<()> {
        look_for_the_end()?;
        self.load.push((minute.day, minute.busy_vcpu));
        self.capacity.push((minute.day, minute.serving_vcpu));
        if let Some(decision) = &minute.decision {
            self.decisions.push_back(format!("{}  {decision}", minute.at.strftime("%a %H:%M")));
            if self.decisions.len() > DECISIONS {
                self.decisions.pop_front();
            }
        }
        let redraw = self.load.len().is_multiple_of(10) || minute.decision.is_some();
        self.last = Some(minute);
        if redraw {
            let Self { terminal, days, load, capacity, decisions, last } = self;
            terminal
                .draw(|frame| draw(frame, *days, (load, capacity), decisions, last.as_ref(), progress))?;
        }
        Ok(())
    }
}

/// The terminal hands Ctrl-C over as a key while it is drawn on, instead of making a signal of it.
fn look_for_the_end() -> Result<()> {
    while event::poll(Duration::ZERO)? {
        if let Event::Key(key) = event::read()?
            && is_end(key)
        {
            return Err(Interrupted.into());
        }
    }
    Ok(())
}

/// Whether somebody has had enough: Ctrl-C, or `q`.
fn is_end(key: KeyEvent) -> bool {
    let ends = match key.code {
        KeyCode::Char('c' | 'C') => key.modifiers.contains(KeyModifiers::CONTROL),
        KeyCode::Char('q' | 'Q') => true,
        _ => false,
    };
    ends && key.kind == KeyEventKind::Press
}

type Lines<'a> = (&'a [(f64, f64)], &'a [(f64, f64)]);

fn draw(
    frame: &mut Frame<'_>,
    days: f64,
    lines: Lines<'_>,
    decisions: &VecDeque<String>,
    last: Option<&Minute>,
    progress: f64,
) {
    let [top, chart, figures, log] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Min(8),
        Constraint::Length(3),
        Constraint::Length(u16::try_from(DECISIONS).unwrap_or(8) + 2),
    ])
    .areas(frame.area());
    let title = last.map_or_else(String::new, |minute| minute.at.strftime("%A %H:%M").to_string());
    frame.render_widget(
        Gauge::default()
            .ratio(progress.clamp(0.0, 1.0))
            .label(title)
            .gauge_style(Style::new().fg(Color::Blue)),
        top,
    );
    draw_chart(frame, chart, days, lines);
    draw_figures(frame, figures, last);
    // Where the terminal is too narrow for a line it is broken, and what no longer fits is the oldest.
    let text: Vec<Line<'_>> = decisions.iter().rev().map(|decision| Line::from(decision.as_str())).collect();
    let block = Block::bordered().title("decisions, newest first").title_bottom("q or Ctrl-C ends it");
    frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: false }).block(block), log);
}

fn draw_chart(frame: &mut Frame<'_>, area: Rect, days: f64, (load, capacity): Lines<'_>) {
    let top = capacity.iter().chain(load).map(|(_, value)| *value).fold(1.0, f64::max) * 1.05;
    let dataset = |name: &'static str, color: Color, data| {
        Dataset::default().name(name).marker(Marker::Braille).graph_type(GraphType::Line).fg(color).data(data)
    };
    // Three fit every width, and half of any number of days needs no more than one digit.
    let labels = [0.0, days / 2.0, days].map(|day| format!("{day:.1}"));
    let chart =
        Chart::new(vec![dataset("capacity", Color::Blue, capacity), dataset("load", Color::Yellow, load)])
            .block(Block::bordered().title("vCPU: load and serving capacity, by day"))
            .x_axis(Axis::default().bounds([0.0, days]).labels(labels))
            .y_axis(Axis::default().bounds([0.0, top]).labels(["0".to_owned(), format!("{top:.0}")]));
    frame.render_widget(chart, area);
}

fn draw_figures(frame: &mut Frame<'_>, area: Rect, last: Option<&Minute>) {
    let Some(minute) = last else { return };
    let latency = minute.latency_ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.0} ms"));
    let line = Line::from(vec![
        format!("{} of {} x {}", minute.serving, minute.desired, minute.instance_type).bold(),
        format!("   p95 {latency}").into(),
        format!("   {:.3} % over the target", minute.share_over * 100.0).into(),
        format!("   {:.2} USD", minute.cost_usd).into(),
    ]);
    frame.render_widget(
        Paragraph::new(line).wrap(Wrap { trim: true }).block(Block::bordered().title("now")),
        area,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ctrl_c_and_q_end_it_and_other_keys_do_not() {
        for (code, modifiers, expected) in [
            (KeyCode::Char('c'), KeyModifiers::CONTROL, true),
            (KeyCode::Char('q'), KeyModifiers::NONE, true),
            (KeyCode::Char('c'), KeyModifiers::NONE, false),
            (KeyCode::Esc, KeyModifiers::NONE, false),
        ] {
            assert_eq!(is_end(KeyEvent::new(code, modifiers)), expected, "{code:?} {modifiers:?}");
        }
    }
}
