using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Net.Sockets;
using System.Text;

namespace PersistentChatFailover.Interop
{
    /// <summary>The control door of a lab: one line of JSON out, one line back.</summary>
    internal sealed class LabDoor
    {
        private const int TimeoutMilliseconds = 60000;

        private readonly string address;

        internal LabDoor(string address)
        {
            this.address = address;
        }

        internal string Address
        {
            get { return address; }
        }

        /// <summary>Sends a command that has no arguments and gives its result.</summary>
        /// <exception cref="IOException">The lab does not answer, or refuses.</exception>
        internal object Ask(string command)
        {
            return Ask(command, new Dictionary<string, object>());
        }

        /// <summary>Sends a command with its arguments and gives its result.</summary>
        /// <exception cref="IOException">The lab does not answer, or refuses.</exception>
        internal object Ask(string command, Dictionary<string, object> arguments)
        {
            int cut = address.LastIndexOf(':');
            var request = new Dictionary<string, object>(arguments) { { "command", command } };
            byte[] line = Encoding.UTF8.GetBytes(Json.Write(request) + "\n");
            try
            {
                using (var client = new TcpClient())
                {
                    client.ReceiveTimeout = TimeoutMilliseconds;
                    client.Connect(address.Substring(0, cut), int.Parse(address.Substring(cut + 1), CultureInfo.InvariantCulture));
                    NetworkStream stream = client.GetStream();
                    stream.Write(line, 0, line.Length);
                    using (var reader = new StreamReader(stream, new UTF8Encoding(false)))
                    {
                        return Result(command, reader.ReadLine());
                    }
                }
            }
            catch (SocketException e)
            {
                throw new IOException("the lab at " + address + " does not answer: " + e.Message, e);
            }
        }

        private object Result(string command, string line)
        {
            if (line == null)
            {
                throw new IOException("the lab at " + address + " closed the connection at " + command);
            }
            var reply = (Dictionary<string, object>)Json.Read(line);
            if (!true.Equals(reply["ok"]))
            {
                throw new IOException("the lab refused " + command + ": " + reply["error"]);
            }
            return reply["result"];
        }
    }
}
