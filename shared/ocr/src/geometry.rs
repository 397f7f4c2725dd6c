//! Points and boxes that may be turned.

/// A place on a picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f32,
    pub(crate) y: f32,
}

impl Point {
    pub(crate) fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    fn minus(self, other: Self) -> Self {
        Self::new(self.x - other.x, self.y - other.y)
    }

    pub(crate) fn dot(self, other: Self) -> f32 {
        self.x * other.x + self.y * other.y
    }

    fn cross(self, other: Self) -> f32 {
        self.x * other.y - self.y * other.x
    }

    pub(crate) fn length(self) -> f32 {
        self.dot(self).sqrt()
    }
}

/// A box around a line of text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Slant {
    pub(crate) middle: Point,
    /// The direction of one pair of sides, of length one.
    pub(crate) along: Point,
    /// The length of that pair.
    pub(crate) length: f32,
    /// The length of the other pair.
    pub(crate) height: f32,
}

impl Slant {
    /// The direction a quarter turn clockwise (down, for a line that is read to the right).
    pub(crate) fn across(&self) -> Point {
        Point::new(-self.along.y, self.along.x)
    }

    /// The same box with its other pair of sides first.
    fn other_way(self) -> Self {
        Self { along: self.across(), length: self.height, height: self.length, ..self }
    }

    /// The same box, read as nearly in a direction as it can be. Boxes that are clearly longer than high are read along their
    /// length; one letter may be higher than long.
    pub(crate) fn read_towards(self, direction: Point) -> Self {
        let long = if self.length >= self.height { self } else { self.other_way() };
        let leans_away = long.along.dot(direction).abs() < long.across().dot(direction).abs();
        let chosen = if leans_away && !long.is_long() { long.other_way() } else { long };
        if chosen.along.dot(direction) >= 0.0 {
            chosen
        } else {
            Self { along: Point::new(-chosen.along.x, -chosen.along.y), ..chosen }
        }
    }

    /// Whether its shape tells the direction of its text.
    pub(crate) fn is_long(&self) -> bool {
        self.length.max(self.height) >= 1.8 * self.length.min(self.height)
    }

    /// Grown on all sides as the detector's training shrank it.
    pub(crate) fn grown(self, ratio: f32) -> Self {
        let by = self.length * self.height * ratio / (2.0 * (self.length + self.height)).max(1.0);
        Self { length: self.length + 2.0 * by, height: self.height + 2.0 * by, ..self }
    }

    /// In another scale.
    pub(crate) fn scaled(self, x: f32, y: f32) -> Self {
        let along = Point::new(self.along.x * x, self.along.y * y);
        let across = Point::new(self.across().x * x, self.across().y * y);
        let length = along.length().max(f32::MIN_POSITIVE);
        Self {
            middle: Point::new(self.middle.x * x, self.middle.y * y),
            along: Point::new(along.x / length, along.y / length),
            length: self.length * length,
            height: self.height * across.length(),
        }
    }
}

/// The corners of the smallest convex shape around points, counter-clockwise.
fn hull(mut points: Vec<Point>) -> Vec<Point> {
    points.sort_by(|one, other| one.x.total_cmp(&other.x).then(one.y.total_cmp(&other.y)));
    points.dedup();
    if points.len() < 3 {
        return points;
    }
    let half = |points: &mut dyn Iterator<Item = Point>| {
        let mut chain: Vec<Point> = Vec::new();
        for point in points {
            while let [.., before, last] = *chain.as_slice()
                && last.minus(before).cross(point.minus(before)) <= 0.0
            {
                chain.pop();
            }
            chain.push(point);
        }
        chain.pop();
        chain
    };
    let mut corners = half(&mut points.iter().copied());
    corners.extend(half(&mut points.iter().rev().copied()));
    corners
}

/// The smallest box around points; `None` if there are none.
pub(crate) fn smallest_box(points: Vec<Point>) -> Option<Slant> {
    let corners = hull(points);
    let edges = corners.iter().zip(corners.iter().cycle().skip(1));
    let boxes = edges.filter_map(|(from, to)| {
        let edge = to.minus(*from);
        let length = edge.length();
        (length > 0.0).then(|| around(&corners, Point::new(edge.x / length, edge.y / length)))
    });
    boxes.min_by(|one, other| (one.length * one.height).total_cmp(&(other.length * other.height)))
}

/// The box around points with sides in a direction.
fn around(points: &[Point], along: Point) -> Slant {
    let across = Point::new(-along.y, along.x);
    let reach = |direction: Point| {
        points
            .iter()
            .map(|point| point.dot(direction))
            .fold((f32::MAX, f32::MIN), |(low, high), at| (low.min(at), high.max(at)))
    };
    let ((left, right), (top, bottom)) = (reach(along), reach(across));
    let (u, v) = ((left + right) / 2.0, (top + bottom) / 2.0);
    let middle = Point::new(along.x * u + across.x * v, along.y * u + across.y * v);
    Slant { middle, along, length: right - left, height: bottom - top }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(one: f32, other: f32) -> bool {
        (one - other).abs() < 0.01
    }

    #[test]
    fn the_smallest_box_of_a_turned_rectangle_is_the_rectangle() {
        for degrees in [0.0f32, 10.0, 45.0, 80.0, 90.0, 135.0] {
            let (sin, cos) = degrees.to_radians().sin_cos();
            let corner = |x: f32, y: f32| Point::new(100.0 + x * cos - y * sin, 50.0 + x * sin + y * cos);
            let inside = [(0.0, 0.0), (3.0, 1.0), (-8.0, 2.0)];
            let points = [(-40.0, -5.0), (40.0, -5.0), (40.0, 5.0), (-40.0, 5.0)].into_iter().chain(inside);
            let found = smallest_box(points.map(|(x, y)| corner(x, y)).collect()).unwrap();
            let read = found.read_towards(Point::new(cos, sin));
            assert!(close(read.length, 80.0) && close(read.height, 10.0), "{degrees}: {read:?}");
            assert!(close(read.middle.x, 100.0) && close(read.middle.y, 50.0), "{degrees}: {read:?}");
            assert!(close(read.along.dot(Point::new(cos, sin)), 1.0), "{degrees}: {read:?}");
        }
    }

    #[test]
    fn few_points_make_no_box_or_a_flat_one() {
        assert_eq!(smallest_box(Vec::new()), None);
        assert_eq!(smallest_box(vec![Point::new(1.0, 1.0)]), None);
        let flat = smallest_box(vec![Point::new(0.0, 0.0), Point::new(4.0, 0.0)]).unwrap();
        assert!(close(flat.length.max(flat.height), 4.0));
    }

    #[test]
    fn a_letter_is_read_upright_and_a_line_along_its_length() {
        let right = Point::new(1.0, 0.0);
        let letter = Slant { middle: right, along: right, length: 10.0, height: 14.0 };
        assert!(close(letter.read_towards(right).length, 10.0));
        let line = Slant { middle: right, along: right, length: 10.0, height: 60.0 };
        assert!(close(line.read_towards(right).length, 60.0));
    }
}
