"""What the benchmarks found, for people and programs: a table, JSON, and a picture in SVG."""
import json
import os
import statistics
from xml.sax.saxutils import escape

COLORS = {'warren': '#2b6cb0', 'floor': '#718096', 'peer': '#c05621'}
FONT = 'font-family="sans-serif" font-size="13"'


def number(value, digits=2):
    return '-' if value is None else f'{value:.{digits}f}'


def color_of(name):
    return COLORS['warren' if name.startswith('warren') else 'floor' if name.startswith(('floor', 'fork', 'host')) else 'peer']


def table_lines(results):
    """GitHub's Markdown."""
    lines = ['| | runs | median ms | min ms | CPU ms | median ratio | min ratio | CPU ratio | |',
             '| --- | --- | --- | --- | --- | --- | --- | --- | --- |']
    for r in results:
        if 'problem' in r:
            lines.append(f"| {r['name']} | - | - | - | - | - | - | - | {r['problem'][:200].replace('|', '/')} |")
            continue
        cells = [r['name'], str(r['runs']), number(r['median_ms']), number(r['min_ms']), number(r['cpu_ms']),
                 number(r.get('median_ratio')), number(r.get('min_ratio')), number(r.get('cpu_ratio')), r['note']]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def frame(width, height, title, body):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" {FONT}>\n'
            f'<rect width="{width}" height="{height}" fill="white"/>\n'
            f'<text x="12" y="22" font-size="16" font-weight="bold">{escape(title)}</text>\n' + '\n'.join(body) + '\n</svg>\n')


def bars(title, rows, unit):
    """`rows`: (name, value, smallest value or None). Bars on a common scale; a tick marks the smallest."""
    left, width, step = 190, 720, 26
    most = max((value for _, value, _ in rows), default=1) or 1
    scale = (width - left - 110) / most
    body = []
    for place, (name, value, least) in enumerate(rows):
        y = 40 + place * step
        body.append(f'<text x="{left - 8}" y="{y + 15}" text-anchor="end">{escape(name)}</text>')
        body.append(f'<rect x="{left}" y="{y}" width="{max(value * scale, 1):.1f}" height="{step - 6}" fill="{color_of(name)}"/>')
        if least is not None:
            x = left + least * scale
            body.append(f'<line x1="{x:.1f}" y1="{y}" x2="{x:.1f}" y2="{y + step - 6}" stroke="white" stroke-width="2"/>')
        body.append(f'<text x="{left + value * scale + 6:.1f}" y="{y + 15}">{value:.2f} {escape(unit)}</text>')
    return frame(width, 56 + len(rows) * step, title, body)


def nice_ticks(most, count=5):
    step = 10 ** len(str(int(most / count))) / 10 if most >= count else most / count
    for factor in (1, 2, 5, 10):
        if most / (step * factor) <= count:
            step *= factor
            break
    return [step * i for i in range(int(most / step) + 1)]


def curves(title, series, x_label, unit):
    """`series`: name -> [(x, y)]. Lines over a common scale that begins at 0."""
    left, top, width, height = 70, 40, 720, 420
    inner_w, inner_h = width - left - 150, height - top - 60
    most_x = max(x for points in series.values() for x, _ in points) or 1
    most_y = max(y for points in series.values() for _, y in points) * 1.1 or 1
    at = lambda x, y: (left + x / most_x * inner_w, top + inner_h - y / most_y * inner_h)
    body = [f'<rect x="{left}" y="{top}" width="{inner_w}" height="{inner_h}" fill="none" stroke="#a0aec0"/>',
            f'<text x="{left + inner_w / 2}" y="{height - 18}" text-anchor="middle">{escape(x_label)}</text>',
            f'<text x="{left}" y="{top - 6}" font-size="11">{escape(unit)}</text>']
    for tick in nice_ticks(most_y):
        _, y = at(0, tick)
        body.append(f'<line x1="{left}" y1="{y:.1f}" x2="{left + inner_w}" y2="{y:.1f}" stroke="#e2e8f0"/>')
        body.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end" font-size="11">{tick:g}</text>')
    for tick in nice_ticks(most_x):
        x, _ = at(tick, 0)
        body.append(f'<text x="{x:.1f}" y="{top + inner_h + 16}" text-anchor="middle" font-size="11">{tick:g}</text>')
    palette = ['#2b6cb0', '#c05621', '#2f855a', '#6b46c1', '#718096', '#b83280']
    for place, (name, points) in enumerate(series.items()):
        color = palette[place % len(palette)]
        path = ' '.join('%.1f,%.1f' % at(x, y) for x, y in points)
        body.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        body.append(f'<text x="{left + inner_w + 10}" y="{top + 14 + place * 18}" fill="{color}">{escape(name)}</text>')
    return frame(width, height, title, body)


def summaries(rows, base):
    results = [{'name': name, 'values': values, 'median': statistics.median(values), 'min': min(values)} for name, values in rows.items()]
    reference = next(r for r in results if r['name'] == base)
    for result in results:
        result['median_ratio'] = result['median'] / reference['median']
        result['min_ratio'] = result['min'] / reference['min'] if reference['min'] else None
    return results


def value_lines(results, unit):
    lines = [f'| | rounds | median {unit} | min {unit} | median ratio | min ratio |', '| --- | --- | --- | --- | --- | --- |']
    for r in results:
        lines.append(f"| {r['name']} | {len(r['values'])} | {number(r['median'])} | {number(r['min'])} | "
                     f"{number(r['median_ratio'])} | {number(r['min_ratio'])} |")
    return lines


def curve_lines(series):
    levels = [level for level, _ in next(iter(series.values()))]
    lines = [f"| others that run | {' | '.join(str(level) for level in levels)} | last / first |", '| --- ' * (len(levels) + 2) + '|']
    for verb, points in series.items():
        cells = ' | '.join(number(value) for _, value in points)
        lines.append(f'| {verb} | {cells} | {number(points[-1][1] / points[0][1])} |')
    return lines


def step_lines(steps):
    """Steps of a launch by the number of guests that run."""
    lines = [f"| others that run | {' | '.join(str(level) for level in steps)} |", '| --- ' * (len(steps) + 1) + '|']
    for step in next(iter(steps.values())):
        lines.append(f"| {step} | {' | '.join(number(values[step], 0) for values in steps.values())} |")
    return lines


def inside_results(rows, kinds):
    """`of_host`: the share of the host's speed; each by the best of its rounds, which what else the machine does cannot improve."""
    results = []
    for (kind, where), values in rows.items():
        unit, more_is_better, _ = kinds[kind]
        best = max if more_is_better else min
        here, there = best(values), best(rows[(kind, 'host')])
        results.append({'name': f'{kind} {where}', 'unit': unit, 'median': statistics.median(values), 'best': here,
                        'of_host': here / there if more_is_better else there / here, 'values': values})
    return results


def inside_lines(results):
    lines = ['| | unit | median | best | best, of the host\'s |', '| --- | --- | --- | --- | --- |']
    for r in results:
        lines.append(f"| {r['name']} | {r['unit']} | {number(r['median'])} | {number(r['best'])} | {number(r['of_host'], 3)} |")
    return lines


def targets_text(results, targets, least=False):
    """One line a target: what was asked, what was reached. `least`: the limit is the least that is good."""
    lines = []
    by_name = {r['name']: r for r in results}
    for name, key, limit in targets:
        reached = by_name.get(name, {}).get(key)
        good = reached is not None and (reached >= limit if least else reached <= limit)
        verdict = 'not measured' if reached is None else f"{reached:.2f}: {'reached' if good else 'MISSED'}"
        lines.append(f'target: {name}, {key.replace("_", " ")} {">=" if least else "<="} {limit:.2f}; {verdict}')
    return lines


def save(out, name, document, picture):
    if not out:
        return
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(out, f'{name}.json'), 'w') as file:
        json.dump(document, file, indent=1)
        file.write('\n')
    with open(os.path.join(out, f'{name}.svg'), 'w') as file:
        file.write(picture)
