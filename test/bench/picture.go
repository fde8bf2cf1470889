package main

import (
	"fmt"
	"image/color"
	"math"
	"os"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// pictureName is the picture's file beside the page.
const pictureName = "performance.png"

func colorOf(target string) color.Color {
	switch target {
	case onTmpfs:
		return color.RGBA{0x88, 0x88, 0x88, 0xff}
	case onDisk:
		return color.RGBA{0x8c, 0x56, 0x4b, 0xff}
	case onEtcd:
		return color.RGBA{0x2c, 0xa0, 0x2c, 0xff}
	case onCtl:
		return color.RGBA{0xff, 0x9f, 0x1c, 0xff}
	case onRW:
		return color.RGBA{0xd6, 0x27, 0x28, 0xff}
	default:
		return color.RGBA{0x1f, 0x77, 0xb4, 0xff}
	}
}

// shapeOf tells the mounts, which are solid, from what stands beside them.
func shapeOf(target string) draw.GlyphDrawer {
	if target == onRW || target == onRO {
		return draw.CircleGlyph{}
	}
	return draw.SquareGlyph{}
}

// drawPicture draws two panels: the durations side by side, and how much of its
// bar each figure uses.
func drawPicture(r *report, path string) error {
	durations, err := durationPanel(r)
	if err != nil {
		return err
	}
	bars, err := barPanel(r)
	if err != nil {
		return err
	}
	canvas := vgimg.NewWith(vgimg.UseWH(40*vg.Centimeter, 20*vg.Centimeter), vgimg.UseDPI(110))
	tiles := draw.Tiles{Rows: 1, Cols: 2, PadX: vg.Centimeter, PadTop: vg.Millimeter * 3, PadBottom: vg.Millimeter * 3, PadLeft: vg.Millimeter * 3, PadRight: vg.Millimeter * 5}
	for i, p := range []*plot.Plot{durations, bars} {
		p.Draw(tiles.At(draw.New(canvas), i, 0))
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := (vgimg.PngCanvas{Canvas: canvas}).WriteTo(file); err != nil {
		_ = file.Close() // the write's error says more
		return err
	}
	return file.Close()
}

// A dot is one figure of a panel: its line, counted from the bottom, its value
// and whose it is.
type dot struct {
	line   int
	value  float64
	target string
}

// durationPanel shows every row that is in seconds.
func durationPanel(r *report) (*plot.Plot, error) {
	var labels []string
	var dots []dot
	for _, row := range slices.Backward(r.rows) {
		if row.unit != seconds {
			continue
		}
		for _, t := range targets() {
			if m, ok := row.median(t); ok {
				dots = append(dots, dot{len(labels), m, t})
			}
		}
		labels = append(labels, row.group+": "+row.name)
	}
	p, err := panel(labels, dots, false)
	if err != nil {
		return nil, err
	}
	p.Title.Text = "What it takes (left is better)"
	p.X.Tick.Marker = decades{seconds}
	return p, nil
}

// barPanel shows the share of its bar that each figure uses.
func barPanel(r *report) (*plot.Plot, error) {
	var labels []string
	var dots []dot
	for _, row := range slices.Backward(r.rows) {
		if row.unit == count {
			continue // exactly one or wrong
		}
		for _, b := range slices.Backward(row.bars) {
			if score, ok := b.score(row); ok && score > 0 {
				dots = append(dots, dot{len(labels), score, b.target})
				labels = append(labels, fmt.Sprintf("%s: %s, %s %s", row.group, row.name, b.target, b.limit(row.unit)))
			}
		}
	}
	p, err := panel(labels, dots, true)
	if err != nil {
		return nil, err
	}
	p.Title.Text = "Share of the bar used (left of the line: met)"
	p.X.Tick.Marker = decades{count}
	p.X.Max = max(p.X.Max, 2)
	limit, err := plotter.NewLine(plotter.XYs{{X: 1, Y: -0.5}, {X: 1, Y: float64(len(labels)) - 0.5}})
	if err != nil {
		return nil, err
	}
	limit.Width = vg.Points(1.5)
	p.Add(limit)
	return p, nil
}

// panel is a plot with one labelled line for each label, on a logarithmic scale.
func panel(labels []string, dots []dot, legendLeft bool) (*plot.Plot, error) {
	p := plot.New()
	p.Add(plotter.NewGrid())
	if len(labels) == 0 {
		labels = []string{"nothing measured"}
	}
	least, most := 1.0, 1.0
	for i, d := range dots {
		if i == 0 {
			least, most = d.value, d.value
		}
		least, most = min(least, d.value), max(most, d.value)
	}
	for _, t := range targets() {
		var points plotter.XYs
		for _, d := range dots {
			if d.target == t {
				points = append(points, plotter.XY{X: d.value, Y: float64(d.line)})
			}
		}
		if points == nil {
			continue
		}
		scatter, err := plotter.NewScatter(points)
		if err != nil {
			return nil, err
		}
		scatter.GlyphStyle = draw.GlyphStyle{Color: colorOf(t), Radius: vg.Points(4), Shape: shapeOf(t)}
		p.Add(scatter)
		p.Legend.Add(t, scatter)
	}
	p.Legend.Left = legendLeft
	p.Legend.Padding = vg.Points(3)
	p.X.Scale, p.X.Min, p.X.Max = plot.LogScale{}, least*0.7, most*1.4
	p.NominalY(labels...)
	p.Y.Min, p.Y.Max = -0.5, float64(len(labels))-0.5
	return p, nil
}

// decades marks powers of ten, and the numbers between them without a label.
type decades struct{ unit unit }

// Ticks implements plot.Ticker.
func (d decades) Ticks(least, most float64) []plot.Tick {
	var ticks []plot.Tick
	for power := math.Floor(math.Log10(least)); power <= math.Ceil(math.Log10(most)); power++ {
		for digit := 1.0; digit < 10; digit++ {
			value := digit * math.Pow(10, power)
			if value < least || value > most {
				continue
			}
			tick := plot.Tick{Value: value}
			if digit == 1 || most/least < 100 && (digit == 2 || digit == 5) {
				tick.Label = trimZeros(d.unit.format(value))
			}
			ticks = append(ticks, tick)
		}
	}
	return ticks
}

// trimZeros writes 1.00 s as 1 s.
func trimZeros(text string) string {
	number, unit, _ := strings.Cut(text, " ")
	if strings.Contains(number, ".") {
		number = strings.TrimRight(strings.TrimRight(number, "0"), ".")
	}
	return strings.TrimSpace(number + " " + unit)
}
