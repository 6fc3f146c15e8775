// Draws lines over time on a canvas.

import { SPAN } from './history.js';
import { roundUp, text } from './units.js';

const GUTTER = 54;
const ABOVE = 7;
const BELOW = 18;
const FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';
const MINUTES = [15, 10, 5, 0];

export const plotWidth = (width) => width - GUTTER;

// `lines`: of points, as History has them, and a colour each; `ago`: of the crosshair.
export function plot(canvas, { lines, colours, format, least, end, gap, ago }) {
  const { clientWidth: width, clientHeight: height } = canvas;
  if (!width) return;
  const pen = prepare(canvas, width, height);
  const bottom = height - BELOW;
  const largest = Math.max(0, ...lines.map(({ points }) => points.reduce((most, [, value]) => Math.max(most, value), 0)));
  const top = roundUp(largest, least);
  const area = {
    bottom,
    x: (time) => ((time - end) / SPAN + 1) * plotWidth(width),
    y: (value) => bottom - (value / top) * (bottom - ABOVE),
  };
  drawAxes(pen, area, width, colours, [0, top / 2, top].map((value) => [value, labelOf(value, format)]));
  for (const line of lines.toReversed()) drawLine(pen, area, line, gap, lines.length === 1);
  if (ago !== null) drawCrosshair(pen, area, lines, end - ago, gap, colours);
}

// Nothing is nothing in any unit, and "/s" goes without saying.
const labelOf = (value, format) => (value ? text(format(value)).replace(/ ?\/s$/, '') : '0');

// As many pixels as the screen has.
function prepare(canvas, width, height) {
  const ratio = devicePixelRatio;
  const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== across || canvas.height !== down) Object.assign(canvas, { width: across, height: down });
  const pen = canvas.getContext('2d');
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.lineJoin = 'round';
  pen.lineCap = 'round';
  pen.font = FONT;
  return pen;
}

function drawAxes(pen, { x, y, bottom }, width, colours, ticks) {
  const right = plotWidth(width);
  pen.lineWidth = 1;
  pen.strokeStyle = colours.line;
  pen.fillStyle = colours.soft;
  pen.textBaseline = 'middle';
  pen.textAlign = 'left';
  for (const [value, label] of ticks) {
    const height = Math.round(y(value)) + 0.5;
    pen.beginPath();
    pen.moveTo(0, height);
    pen.lineTo(right, height);
    pen.stroke();
    pen.fillText(label, right + 7, height, GUTTER - 7);
  }
  pen.textBaseline = 'bottom';
  MINUTES.forEach((minutes, at) => {
    pen.textAlign = ['left', 'center', 'center', 'right'][at];
    const label = minutes ? `−${minutes}${at ? '' : ' min'}` : 'now';
    pen.fillText(label, (1 - minutes / 15) * right, bottom + BELOW);
  });
}

// The pieces of a line between which there is no data.
function piecesOf(points, gap) {
  const pieces = [];
  let before = -Infinity;
  for (const point of points) {
    if (point[1] === null) continue;
    if (point[0] - before > gap) pieces.push([]);
    pieces.at(-1).push(point);
    before = point[0];
  }
  return pieces;
}

function drawLine(pen, { x, y, bottom }, { points, colour }, gap, isFilled) {
  pen.strokeStyle = colour;
  pen.fillStyle = colour;
  pen.lineWidth = 1.5;
  for (const piece of piecesOf(points, gap)) {
    const [first, last] = [piece[0], piece.at(-1)];
    pen.beginPath();
    piece.forEach(([time, value]) => pen.lineTo(x(time), y(value)));
    if (piece.length === 1) pen.lineTo(x(first[0]) + 0.01, y(first[1]));
    pen.stroke();
    if (!isFilled) continue;
    pen.lineTo(x(last[0]), bottom);
    pen.lineTo(x(first[0]), bottom);
    pen.globalAlpha = 0.13;
    pen.fill();
    pen.globalAlpha = 1;
  }
}

function drawCrosshair(pen, { x, y, bottom }, lines, time, gap, colours) {
  pen.strokeStyle = colours.soft;
  pen.lineWidth = 1;
  pen.beginPath();
  const across = Math.round(x(time)) + 0.5;
  pen.moveTo(across, ABOVE - 4);
  pen.lineTo(across, bottom);
  pen.stroke();
  for (const { points, colour } of lines) {
    const nearest = points.reduce((best, point) => (Math.abs(point[0] - time) < Math.abs(best[0] - time) ? point : best), [-Infinity, null]);
    if (nearest[1] === null || Math.abs(nearest[0] - time) > gap) continue;
    pen.beginPath();
    pen.arc(x(nearest[0]), y(nearest[1]), 3.5, 0, 2 * Math.PI);
    pen.fillStyle = colour;
    pen.strokeStyle = colours.paper;
    pen.lineWidth = 2;
    pen.fill();
    pen.stroke();
  }
}
