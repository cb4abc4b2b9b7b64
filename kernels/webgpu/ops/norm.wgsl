// The residual stream between blocks: x[row] += scale · post(delta[row]), then out[row] = norm(x[row]).
// RMSNorm (2019, arXiv 1910.07467) and LayerNorm (2016, arXiv 1607.06450).
//
// DELTA: something is added. POST: it is normalised first, by a gain of its own. NORM: out is written. LAYER: means
// are subtracted. FINAL: row i of out is row first + i of x.
// Workgroup: 64 threads, one row. Grid: [rows] (FINAL: [scored]).
struct Shape {
  width: u32,
  stride: u32, // of x
  strideDelta: u32,
  strideOut: u32,
  biased: u32,
  epsilon: f32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> pass_: Pass;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read_write> x: array<f32>;
@group(0) @binding(3) var<storage, read> delta: array<f32>;
@group(0) @binding(4) var<storage, read> post: array<f32>;
@group(0) @binding(5) var<storage, read> gain: array<f32>;
@group(0) @binding(6) var<storage, read> bias: array<f32>;
@group(0) @binding(7) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) me: vec3u, @builtin(workgroup_id) group: vec3u) {
  let thread = me.x;
  let row = select(group.x, pass_.first + group.x, FINAL);
  let at = row * shape.stride;
  let n = f32(shape.width);

  if (DELTA) {
    let start = row * shape.strideDelta;
    var mean = 0.0;
    var factor = 1.0;
    if (POST) {
      if (LAYER) {
        var sum = 0.0;
        for (var i = thread; i < shape.width; i += THREADS) {
          sum += delta[start + i];
        }
        mean = total(thread, sum) / n;
      }
      var square = 0.0;
      for (var i = thread; i < shape.width; i += THREADS) {
        let d = delta[start + i] - mean;
        square = fma(d, d, square);
      }
      factor = 1.0 / sqrt(total(thread, square) / n + shape.epsilon);
    }
    for (var i = thread; i < shape.width; i += THREADS) {
      var d = delta[start + i];
      if (POST) {
        d = (d - mean) * factor * post[i];
      }
      x[at + i] = fma(d, shape.scale, x[at + i]);
    }
  }

  if (NORM) {
    // A thread reads only what it wrote itself.
    var mean = 0.0;
    if (LAYER) {
      var sum = 0.0;
      for (var i = thread; i < shape.width; i += THREADS) {
        sum += x[at + i];
      }
      mean = total(thread, sum) / n;
    }
    var square = 0.0;
    for (var i = thread; i < shape.width; i += THREADS) {
      let d = x[at + i] - mean;
      square = fma(d, d, square);
    }
    let factor = 1.0 / sqrt(total(thread, square) / n + shape.epsilon);
    for (var i = thread; i < shape.width; i += THREADS) {
      var value = (x[at + i] - mean) * factor * gain[i];
      if (shape.biased != 0) {
        value += bias[i];
      }
      out[group.x * shape.strideOut + i] = value;
    }
  }
}
