import CLibpq
import Glibc

/// COPY and scripts: what libpq allows only outside pipeline mode.
extension Session {
    /// Several statements in one text, by the simple query protocol: one implicit transaction unless they say
    /// otherwise.
    func execute(script: String) throws {
        try outsidePipelineMode {
            guard PQsendQuery(handle, script) == 1 else { throw lost() }
            try flush()
            var failure: PostgresError?
            while let result = try nextResult() {
                defer { PQclear(result) }
                try check(result, &failure)
            }
            if let failure { throw failure }
        }
    }

    /// - Returns: how many rows were copied.
    func copyIn(_ target: Fragment, _ body: (inout CopyWriter) throws -> Void) throws -> Int {
        try outsidePipelineMode {
            try startCopy("COPY \(try target.bareText()) FROM STDIN (FORMAT binary)", PGRES_COPY_IN)
            var failure: (any Error)?
            do {
                var writer = CopyWriter(self)
                try body(&writer)
                try writer.finish()
            } catch {
                if let broken { throw broken }
                failure = error
            }
            // The server undoes the whole COPY when it is told of a failure.
            guard PQputCopyEnd(handle, failure == nil ? nil : "the client gave up") >= 0 else { throw lost() }
            try flush()
            return try copied(orElse: failure)
        }
    }

    func copyOut(_ source: Fragment, _ body: (CopyRow) throws -> Void) throws -> Int {
        try outsidePipelineMode {
            try startCopy("COPY \(try source.bareText()) TO STDOUT (FORMAT binary)", PGRES_COPY_OUT)
            var hasHeader = false
            while let (start, length) = try nextCopyData() {
                defer { PQfreemem(start) }
                let bytes = UnsafeRawBufferPointer(start: start, count: length)
                do {
                    var offset = hasHeader ? 0 : try CopyRow.skipHeader(of: bytes)
                    hasHeader = true
                    while offset < length, let row = try CopyRow(reading: bytes, at: &offset) { try body(row) }
                } catch {
                    // The rest may be long; with the connection the server's work ends too.
                    fail(PostgresError(kind: .cancelled, message: "a COPY was not read to its end"))
                    throw error
                }
            }
            return try copied(orElse: nil)
        }
    }

    func putCopyData(_ bytes: [UInt8]) throws {
        let status = bytes.withUnsafeBytes { raw in
            PQputCopyData(handle, raw.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(raw.count))
        }
        guard status == 1 else { throw lost() }
        try flush()
        if call?.isCancelled == true { throw CancellationError() }
    }
}

// MARK: - Steps

extension Session {
    private func outsidePipelineMode<Value>(_ work: () throws -> Value) throws -> Value {
        let commitsByItself = isOutsideTransaction
        guard PQexitPipelineMode(handle) == 1 else { throw violation(Self.message(of: handle)) }
        defer {
            if broken == nil, PQenterPipelineMode(handle) != 1 { _ = violation(Self.message(of: handle)) }
            deliverNotifications()
        }
        do {
            return try work()
        } catch var error as PostgresError where broken != nil {
            error.commitUnknown = commitsByItself && error.sqlState == nil
            throw error
        }
    }

    private func startCopy(_ sql: String, _ direction: ExecStatusType) throws {
        guard PQsendQuery(handle, sql) == 1 else { throw lost() }
        try flush()
        guard let result = try nextResult() else { throw violation("no answer to COPY") }
        defer { PQclear(result) }
        if PQresultStatus(result) == direction { return }
        var failure: PostgresError?
        try check(result, &failure)
        _ = try copied(orElse: failure ?? violation("COPY in the wrong direction"))
    }

    /// Reads what ends a COPY. The server's own error comes first, except where it only repeats that we gave up.
    private func copied(orElse cause: (any Error)?) throws -> Int {
        var count = 0
        var failure: PostgresError?
        while let result = try nextResult() {
            defer { PQclear(result) }
            try check(result, &failure)
            count = PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? count
        }
        if let error = cause ?? failure { throw error }
        return count
    }

    private func check(_ result: OpaquePointer, _ failure: inout PostgresError?) throws {
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: return
        case PGRES_FATAL_ERROR:
            let error = PostgresError(result)
            guard error.kind != .connectionLost else {
                fail(error)
                throw error
            }
            failure = failure ?? error
        default: throw violation("a script answered with status \(PQresultStatus(result).rawValue)")
        }
    }

    private func nextResult() throws -> OpaquePointer? {
        while PQisBusy(handle) == 1 {
            try wait(for: Int16(POLLIN))
            guard PQconsumeInput(handle) == 1 else { throw lost() }
        }
        return PQgetResult(handle)
    }

    private func nextCopyData() throws -> (UnsafeMutablePointer<CChar>, Int)? {
        while true {
            var buffer: UnsafeMutablePointer<CChar>?
            switch PQgetCopyData(handle, &buffer, 1) {
            case let length where length > 0:
                guard let buffer else { throw violation("COPY data without bytes") }
                return (buffer, Int(length))
            case 0:
                try wait(for: Int16(POLLIN))
                guard PQconsumeInput(handle) == 1 else { throw lost() }
            case -1: return nil
            default: throw lost()
            }
        }
    }

    private func flush() throws {
        while true {
            switch PQflush(handle) {
            case 0: return
            case 1:
                try wait(for: Int16(POLLIN | POLLOUT))
                guard PQconsumeInput(handle) == 1 else { throw lost() }
            default: throw lost()
            }
        }
    }
}

extension Fragment {
    /// For statements that take no parameters.
    fileprivate func bareText() throws -> String {
        guard parameters.isEmpty else {
            throw PostgresError(kind: .protocolViolation, message: "COPY takes no parameters")
        }
        return texts[0]
    }
}
