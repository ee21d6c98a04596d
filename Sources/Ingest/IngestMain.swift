import Foundation
import Logging
import ServiceLifecycle
import Shared
import UnixSignals

/// `pulsegate-ingest`: takes what gateways and network servers send, and never loses what it acknowledged.
@main
struct IngestMain {
    static func main() async throws {
        LargeAllocations.returnWhenFreed()
        let start = exitOnFault("pulsegate-ingest") { () throws(SettingsFault) in try ProcessStart() }
        let settings = IngestSettings(SettingsReader.ofProcess("pulsegate-ingest", IngestSettings.declarations))
        LogOutput.bootstrap(level: settings.logLevel)
        let logger = Logger(label: "pulsegate.ingest")
        let app = IngestApp(settings: settings, start: start, logger: logger)
        do {
            let services =
                settings.drainsOnly
                ? try await app.drainServices() : try await app.services().map { .init(service: $0) }
            var configuration = ServiceGroupConfiguration(
                services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
            configuration.maximumGracefulShutdownDuration = .seconds(20)
            try await ServiceGroup(configuration: configuration).run()
        } catch let error as StaleSchema {
            logger.critical("\(error)")
            exit(SettingsFault.exitStatus)
        } catch let error as SpoolFolder.Failure {
            logger.critical("SPOOL_DIR can't be used", metadata: ["reason": "\(error)"])
            exit(SettingsFault.exitStatus)
        } catch let error as DrainingOnce.SetAside {
            logger.error("\(error)")
            exit(65) // EX_DATAERR
        } catch {
            logger.critical("can't go on", metadata: ["reason": "\(error)"])
            exit(1)
        }
    }
}
