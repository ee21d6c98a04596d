import Foundation
import Postgres
import Support
import Testing

/// Every statement in the sources is PREPAREd against today's schema, also those that no other test comes by.
struct StatementsTests {
    private static let sources = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Sources")

    @Test func everyStatementIsPrepared() async throws {
        let survey = StatementSurvey(try SwiftFile.all(below: Self.sources))
        #expect(Set(survey.statements.map(\.place)).count > 100, "the scanner overlooks statements")
        #expect(survey.statements.count { !$0.columns.isEmpty } > 50, "the scanner overlooks what rows are asked for")
        #expect(survey.complaints.isEmpty, "\n\(survey.complaints.joined(separator: "\n"))")
        let faults = try await MigratedDatabase.withClone { database in
            try await database.asSuperuser { connection in
                var (faults, told): ([String], Set<String>) = ([], [])
                for (number, statement) in survey.statements.enumerated() {
                    let name = "statement_\(number)"
                    for fault in try await Self.faults(of: statement, preparedAs: name, on: connection) {
                        let headline = "\(statement.place): \(fault)"
                        guard told.insert(headline).inserted else { continue }
                        faults.append("\(headline)\n\(statement.text.command(name))\n")
                    }
                }
                return faults
            }
        }
        #expect(faults.isEmpty, "\n\(faults.joined(separator: "\n"))")
    }

    private static func faults(
        of statement: StatementSurvey.Statement, preparedAs name: String, on connection: PostgresConnection
    ) async throws -> [String] {
        do {
            try await connection.execute(script: statement.text.command(name))
            let mistaken = try await conditions(takenForValuesIn: statement.text, name, connection)
            guard !statement.columns.isEmpty else { return mistaken }
            let missing = statement.columns.subtracting(try await columns(of: statement.text, name, connection))
            return mistaken + missing.sorted().map { "its rows are asked for the column \($0)" }
        } catch let error as PostgresError where error.kind == .server {
            return [error.message]
        }
    }

    /// A condition that was taken for a value looks fine to PostgreSQL: as a boolean.
    private static func conditions(
        takenForValuesIn text: PreparedText, _ name: String, _ connection: PostgresConnection
    ) async throws -> [String] {
        let types: [[String]] = try await connection.all(
            "SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = \(name)")
        return (types.first ?? []).enumerated().compactMap { index, type in
            let conditions = ["WHERE", "AND", "OR", "ON", "NOT"].map { "\($0) $\(index + 1)" }
            let isCondition = type == "boolean" && conditions.contains { text.sql.contains($0) }
            return isCondition ? "$\(index + 1) is a condition that was taken for a value" : nil
        }
    }

    /// A table made as the statement, but without data, has its columns. RETURNING can't be had so and is read.
    private static func columns(
        of text: PreparedText, _ name: String, _ connection: PostgresConnection
    ) async throws -> Set<String> {
        let isQuery = text.sql.hasPrefix("SELECT") || text.sql.hasPrefix("WITH")
        if !isQuery, let returning = text.sql.range(of: "RETURNING ") {
            let names = text.sql[returning.upperBound...].split(separator: ",")
            return Set(
                names.compactMap { $0.split(separator: ".").last?.trimmingCharacters(in: .whitespacesAndNewlines) })
        }
        let nulls = text.types.map { _ in "NULL" }.joined(separator: ", ")
        let arguments = nulls.isEmpty ? "" : "(\(nulls))"
        try await connection.execute(script: "CREATE TEMP TABLE described AS EXECUTE \(name)\(arguments) WITH NO DATA")
        let columns: [String] = try await connection.all(
            "SELECT attname::text FROM pg_attribute WHERE attrelid = 'described'::regclass AND attnum > 0")
        try await connection.execute(script: "DROP TABLE described")
        return Set(columns)
    }
}
