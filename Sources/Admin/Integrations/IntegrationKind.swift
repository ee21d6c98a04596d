import ArgumentParser
import Shared

extension IntegrationAuth: ExpressibleByArgument {}
extension IntegrationDialect: ExpressibleByArgument {}

struct IntegrationKind: ParsableArguments {
    @Option(
        help: "What the network server writes: \(IntegrationDialect.allCases.map(\.rawValue).joined(separator: ", ")).")
    var dialect: IntegrationDialect = .generic

    @Option(help: "How it proves who it is: \(IntegrationAuth.allCases.map(\.rawValue).joined(separator: ", ")).")
    var auth: IntegrationAuth = .hmac

    @Option(help: "With header: the header that holds the secret.")
    var headerName: String?

    @Option(help: "With basic: the user name.")
    var username: String?

    @Option(help: "Where ingest is reached, for the URL that is shown.")
    var ingestURL: String?
}
