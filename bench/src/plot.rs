//! Draws charts in SVG with logarithmic axes, for light and dark pages.

use std::fmt::{self, Write as _};

/// Charts side by side that share their series and their horizontal axis.
pub struct Figure {
    /// The alternative text.
    pub description: String,
    /// The unit of the horizontal axis.
    pub across: &'static str,
    pub series: Vec<&'static str>,
    pub charts: Vec<Chart>,
}

/// One chart.
pub struct Chart {
    pub title: String,
    /// The points of each series, from left to right.
    pub points: Vec<Vec<(f64, f64)>>,
    /// Formats a value of the vertical axis.
    pub label: fn(f64) -> String,
}

const WIDTH: f64 = 920.0;
const HEIGHT: f64 = 420.0;
/// Margins of the plots, for the legend above and the labels below.
const ABOVE: f64 = 78.0;
const BELOW: f64 = 52.0;
/// Margins of each plot, for its labels to the left, and to the right.
const LEFT: f64 = 74.0;
const RIGHT: f64 = 40.0;

/// Colours that are distinguishable with any colour vision, for light and for dark pages.
const COLOURS: [(&str, &str); 5] = [
    ("#0072b2", "#56b4e9"),
    ("#d55e00", "#f0924c"),
    ("#00795c", "#2fc79b"),
    ("#a2478a", "#d991c0"),
    ("#7a5c00", "#d9b13b"),
];

const STYLE: &str = "\
text{font:12px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:var(--text)}\
.title{font-weight:600;font-size:13px}.across,.tick{fill:var(--quiet)}\
.page{fill:var(--page)}.grid{stroke:var(--grid);stroke-width:1}\
.axis{stroke:var(--axis);stroke-width:1}\
.guide{stroke:var(--quiet);stroke-width:1;stroke-dasharray:2 4}\
.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}\
.mark{stroke:var(--page);stroke-width:1.5}";

impl Figure {
    /// Returns the figure as SVG.
    pub fn svg(&self) -> Result<String, fmt::Error> {
        let mut svg = String::new();
        let description = &self.description;
        write!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\">\n<title>{description}</title>\n\
             <style>\n:root{{{}}}\n@media (prefers-color-scheme:dark){{:root{{{}}}}}\n{STYLE}\n\
             </style>\n<rect class=\"page\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"6\"/>\n",
            variables(false),
            variables(true),
        )?;
        let mut x = LEFT;
        for (index, name) in self.series.iter().enumerate() {
            writeln!(
                svg,
                "<path class=\"line\" style=\"stroke:var(--s{index})\" d=\"M{x} 26h22\"/>\
                 <circle class=\"mark\" style=\"fill:var(--s{index})\" cx=\"{}\" cy=\"26\" r=\"4\"/>\
                 <text x=\"{}\" y=\"30\">{name}</text>",
                x + 11.0,
                x + 30.0,
            )?;
            // The estimated width of the text, and a gap.
            x += 30.0 + 6.6 * name.chars().count() as f64 + 24.0;
        }
        writeln!(
            svg,
            "<path class=\"guide\" d=\"M{x} 26h22\"/>\
             <text x=\"{}\" y=\"30\">in proportion to the {}</text>",
            x + 30.0,
            self.across,
        )?;
        let width = WIDTH / self.charts.len() as f64;
        for (index, chart) in self.charts.iter().enumerate() {
            let left = width * index as f64;
            chart.draw(&mut svg, self.across, (left + LEFT, left + width - RIGHT))?;
        }
        svg.push_str("</svg>\n");
        Ok(svg)
    }
}

/// Returns the CSS variables of the colours.
fn variables(dark: bool) -> String {
    let mut text = if dark {
        "--page:#0d1117;--text:#e6edf3;--quiet:#9198a1;--grid:#21262d;--axis:#3d444d".to_owned()
    } else {
        "--page:#ffffff;--text:#1f2328;--quiet:#59636e;--grid:#e7eaee;--axis:#b1bac4".to_owned()
    };
    for (index, (light, on_dark)) in COLOURS.iter().enumerate() {
        let colour = if dark { on_dark } else { light };
        text.push_str(&format!(";--s{index}:{colour}"));
    }
    text
}

/// A logarithmic axis: the powers of ten at both ends, and their positions on the page.
struct Axis {
    least: i32,
    most: i32,
    begin: f64,
    end: f64,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64> + Clone, (begin, end): (f64, f64)) -> Self {
        let least = values.clone().fold(f64::INFINITY, f64::min).log10().floor();
        let most = values.fold(0.0, f64::max).log10().ceil();
        Self {
            least: least as i32,
            most: (most as i32).max(least as i32 + 1),
            begin,
            end,
        }
    }

    fn at(&self, value: f64) -> f64 {
        let part = (value.log10() - f64::from(self.least)) / f64::from(self.most - self.least);
        self.begin + part * (self.end - self.begin)
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        (self.least..=self.most).map(|power| 10_f64.powi(power))
    }
}

impl Chart {
    fn draw(&self, svg: &mut String, across: &str, (left, right): (f64, f64)) -> fmt::Result {
        let (top, bottom) = (ABOVE, HEIGHT - BELOW);
        let points = self.points.iter().flatten();
        let horizontal = Axis::over(points.clone().map(|point| point.0), (left, right));
        let vertical = Axis::over(points.map(|point| point.1), (bottom, top));
        writeln!(
            svg,
            "<text class=\"title\" x=\"{left}\" y=\"{}\">{}</text>",
            top - 14.0,
            self.title
        )?;
        for tick in vertical.ticks() {
            let y = vertical.at(tick);
            writeln!(
                svg,
                "<path class=\"grid\" d=\"M{left:.1} {y:.1}H{right:.1}\"/>\
                 <text class=\"tick\" text-anchor=\"end\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                left - 8.0,
                y + 4.0,
                (self.label)(tick),
            )?;
        }
        for tick in horizontal.ticks() {
            let x = horizontal.at(tick);
            writeln!(
                svg,
                "<path class=\"axis\" d=\"M{x:.1} {bottom:.1}v5\"/>\
                 <text class=\"tick\" text-anchor=\"middle\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
                bottom + 19.0,
                thousands(tick),
            )?;
        }
        writeln!(
            svg,
            "<path class=\"axis\" d=\"M{left:.1} {bottom:.1}H{right:.1}\"/>\
             <text class=\"across\" text-anchor=\"middle\" x=\"{:.1}\" y=\"{:.1}\">{across}</text>",
            (left + right) / 2.0,
            bottom + 38.0,
        )?;
        // A proportional line from the first point of the first series.
        if let Some((across, up)) = self.points.first().and_then(|points| points.first()) {
            let most = horizontal.ticks().last().unwrap_or(*across);
            let (begin, end) = (horizontal.at(*across), horizontal.at(most));
            let (from, to) = (vertical.at(*up), vertical.at(up * most / across));
            writeln!(
                svg,
                "<path class=\"guide\" d=\"M{begin:.1} {from:.1}L{end:.1} {to:.1}\"/>"
            )?;
        }
        for (index, points) in self.points.iter().enumerate() {
            let mut line = String::new();
            let mut marks = String::new();
            for (across, up) in points {
                let (x, y) = (horizontal.at(*across), vertical.at(*up));
                let step = if line.is_empty() { 'M' } else { 'L' };
                write!(line, "{step}{x:.1} {y:.1}")?;
                write!(
                    marks,
                    "<circle class=\"mark\" style=\"fill:var(--s{index})\" cx=\"{x:.1}\" \
                     cy=\"{y:.1}\" r=\"4\"/>"
                )?;
            }
            writeln!(
                svg,
                "<path class=\"line\" style=\"stroke:var(--s{index})\" d=\"{line}\"/>{marks}"
            )?;
        }
        Ok(())
    }
}

/// Formats a whole number with a thin space before every three digits.
pub fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}
