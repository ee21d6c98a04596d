import NIOCore
import NIOPosix

/// Says bytes to a server as they are and hears everything until it closes.
enum RawExchange {
    static func send(_ text: String, port: Int) async throws -> String {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: text))
            var heard = ""
            for try await bytes in inbound { heard += String(buffer: bytes) }
            return heard
        }
    }
}
