// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioHTTPTypesHTTP1 = Target.Dependency.product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "pulsegate",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "pulsegate-ingest", targets: ["Ingest"]),
        .executable(name: "pulsegate-query", targets: ["Query"]),
        .executable(name: "pulsegate", targets: ["Admin"]),
    ],
    dependencies: [
        // HTTP server and router of both processes.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        // ByteBuffer, event loops and socket options under Hummingbird.
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        // HTTP's parts below Hummingbird, where what never becomes a request is answered.
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        // Start, drain on SIGTERM and stop the parts of a process in order.
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        // Structured logs; our handler writes JSON lines.
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        // Flags, environment and defaults in layers.
        .package(
            url: "https://github.com/apple/swift-configuration", from: "1.4.0",
            traits: [.defaults, "CommandLineArguments"]),
        // The `pulsegate` command line.
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        // HMAC, SHA-256 and AES-GCM.
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        // Access tokens (RFC 7519).
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
        // HTTP client of mail, WhatsApp and webhooks, of the demo feed and of the black-box tests.
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        // Chunks of sorted requests, by tenant.
        .package(url: "https://github.com/apple/swift-algorithms", from: "1.2.0"),
        // Deque for the queues of pool and batchers.
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    ],
    targets: [
        .systemLibrary(name: "CLibpq", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CArgon2", pkgConfig: "libargon2", providers: [.apt(["libargon2-dev"])]),
        // bcrypt hashes of an earlier system.
        .systemLibrary(name: "CCrypt"),
        // Rate limits that processes share, through Redis.
        .target(name: "CHiredis", linkerSettings: [.linkedLibrary("hiredis")]),
        // glibc's <malloc.h>, which Swift's own module of glibc leaves out.
        .systemLibrary(name: "CMalloc"),
        // CRC-32C, by the processor.
        .systemLibrary(name: "CChecksum"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "CSimdjson", linkerSettings: [.linkedLibrary("simdjson")]),
        .target(
            name: "Postgres",
            dependencies: ["CLibpq", logging, .product(name: "DequeModule", package: "swift-collections")],
            swiftSettings: strict),
        .target(
            name: "Shared",
            dependencies: [
                "Postgres", "CArgon2", "CChecksum", "CCrypt", "CHiredis", "CMalloc", "CZlib", hummingbird, lifecycle,
                logging,
                crypto, nio,
                nioHTTP1, nioHTTPTypes, nioHTTPTypesHTTP1, nioPosix,
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "JWTKit", package: "jwt-kit"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "Ingest",
            dependencies: [
                "Shared", "Postgres", "CSimdjson", hummingbird, lifecycle, signals, logging, crypto, nio, nioPosix,
                .product(name: "Algorithms", package: "swift-algorithms"),
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "Query",
            dependencies: [
                "Shared", "Postgres", hummingbird, lifecycle, signals, logging, crypto, httpClient, nio, nioHTTP1,
                .product(name: "NIOFoundationCompat", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "Admin",
            dependencies: ["Shared", "Postgres", arguments, logging, crypto, httpClient, nio, nioHTTP1],
            swiftSettings: strict),
        .executableTarget(
            name: "Benchmarks",
            dependencies: ["Postgres", "Shared", "Support", "CEpoll", httpClient, arguments, crypto, nio, nioHTTP1],
            path: "Benchmarks", exclude: ["README.md", "CEpoll", "fastapi"], swiftSettings: strict),
        .systemLibrary(name: "CEpoll", path: "Benchmarks/CEpoll"),
        .target(
            name: "Support", dependencies: ["Postgres", "Shared", logging], path: "Tests/Support",
            swiftSettings: strict),
        .testTarget(name: "PostgresTests", dependencies: ["Postgres", "Support"], swiftSettings: strict),
        .testTarget(
            name: "SharedTests",
            dependencies: [
                "Shared", "Postgres", "Support", "CChecksum", "CZlib", hummingbird, crypto, cryptoExtras, logging,
                lifecycle, nio,
                nioEmbedded,
                nioHTTP1, nioHTTPTypes, nioHTTPTypesHTTP1,
                .product(name: "HummingbirdTesting", package: "hummingbird"),
            ], swiftSettings: strict),
        .testTarget(
            name: "IngestTests",
            dependencies: [
                "Ingest", "Shared", "Postgres", "Support", hummingbird, crypto, logging, lifecycle,
                .product(name: "HummingbirdTesting", package: "hummingbird"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "QueryTests",
            dependencies: [
                "Query", "Shared", "Postgres", "Support", hummingbird, httpClient, crypto, cryptoExtras, nio, logging,
                nioEmbedded,
                .product(name: "HummingbirdTesting", package: "hummingbird"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "AdminTests", dependencies: ["Admin", "Shared", "Postgres", "Support"], swiftSettings: strict),
        // The one target that sees both processes: what ingest writes, query reads.
        .testTarget(
            name: "SampleStoreTests",
            dependencies: ["Ingest", "Query", "Shared", "Postgres", "Support", logging, nio], swiftSettings: strict),
        .testTarget(
            name: "BlackBoxTests",
            dependencies: ["Shared", "Postgres", "Support", "CZlib", httpClient, crypto, nio, nioHTTP1, nioPosix],
            swiftSettings: strict),
    ],
    cxxLanguageStandard: .cxx17
)
