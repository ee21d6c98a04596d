import Hummingbird
import NIOCore
import Postgres

/// The answer of `GET /series/query`, written series by series: with its points it may be tens of megabytes long.
struct SeriesAnswer: Sendable {
    let lines: [SeriesQuery.Line]
    let buckets: SeriesQuery.Buckets?

    var response: Response {
        Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "private, no-cache"],
            body: ResponseBody { [self] writer in
                try await writer.write(ByteBuffer(string: "{\"data\":["))
                for (index, line) in lines.enumerated() {
                    var json = JSONWriter(ByteBuffer())
                    if index > 0 { json.raw(",") }
                    line.write(to: &json)
                    try await writer.write(json.buffer)
                }
                try await writer.write(ending)
                try await writer.finish(nil)
            })
    }

    private var ending: ByteBuffer {
        var json = JSONWriter()
        json.raw("],")
        json.fields { object in
            object.field("step", buckets?.step.seconds)
            object.field("agg", buckets?.aggregation.rawValue)
            object.field("source", "raw")
        }
        json.raw("}")
        return json.buffer
    }
}

extension SeriesQuery.Line: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("metric", series.metric)
            object.field("owner", series.owner)
            object.field("labels", series.labels)
            object.field("points", points)
        }
    }
}

extension SeriesDescription.Owner: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("kind", kind)
            object.field("id", id)
            object.field("code", code)
        }
    }
}

extension SeriesDescription: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("metric", metric)
            object.field("owner", owner)
            object.field("labels", labels)
            object.field("created_at", createdAt)
        }
    }
}

extension Samples: JSONWritable {
    /// `[[epoch_ms,value],…]`. A time that isn't a whole millisecond keeps its microseconds as a fraction.
    func write(to json: inout JSONWriter) {
        json.array { array in
            for (ts, value) in zip(times, values) {
                array.element(Point(ts: ts, value: value))
            }
        }
    }

    private struct Point: JSONWritable {
        let ts: Int64
        let value: Double

        func write(to json: inout JSONWriter) {
            let (milliseconds, microseconds) = ts.magnitude.quotientAndRemainder(dividingBy: 1_000)
            json.raw(ts < 0 ? "[-" : "[")
            json.raw(String(milliseconds))
            if microseconds != 0 { json.raw("." + String(1_000 + microseconds).dropFirst()) }
            json.raw(",")
            json.number(value)
            json.raw("]")
        }
    }
}
