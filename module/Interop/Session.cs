using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Management.Automation;
using System.Runtime.InteropServices;
using System.Security;
using System.Text;

namespace PersistentChatFailover.Interop
{
    /// <summary>A session of the library. It holds settings and logins, no connection.</summary>
    internal sealed class Session : IDisposable
    {
        /// <summary>The settings of a session that connects to nothing.</summary>
        internal static readonly object NoSettings = Settings("Mandatory", false, 15, null);

        private ulong handle;

        internal Session(object settings)
        {
            handle = PchatLibrary.Instance.OpenSession(Json.Write(settings));
        }

        /// <summary>The document of a session's settings.</summary>
        internal static object Settings(string encrypt, bool trustServerCertificate, int connectTimeoutSeconds, Hashtable addressMap)
        {
            return new Dictionary<string, object>
            {
                { "version", 1 },
                { "encrypt", encrypt },
                { "trust_server_certificate", trustServerCertificate },
                { "connect_timeout_seconds", connectTimeoutSeconds },
                { "address_map", Entries(addressMap, "name", "address") },
            };
        }

        internal ulong Handle
        {
            get { return handle; }
        }

        /// <summary>Adds a login. The password crosses as bytes of its own and is wiped here.</summary>
        internal void AddLogin(string instance, PSCredential credential)
        {
            if (credential == null || credential == PSCredential.Empty)
            {
                return;
            }
            byte[] secret = Bytes(credential.Password);
            try
            {
                PchatLibrary.Instance.AddLogin(handle, instance, credential.UserName, secret);
            }
            finally
            {
                Array.Clear(secret, 0, secret.Length);
            }
        }

        private static byte[] Bytes(SecureString password)
        {
            IntPtr unmanaged = Marshal.SecureStringToGlobalAllocUnicode(password);
            var letters = new char[password.Length];
            try
            {
                Marshal.Copy(unmanaged, letters, 0, letters.Length);
                return Encoding.UTF8.GetBytes(letters);
            }
            finally
            {
                Array.Clear(letters, 0, letters.Length);
                Marshal.ZeroFreeGlobalAllocUnicode(unmanaged);
            }
        }

        /// <summary>A hashtable of names as the list that the documents want.</summary>
        internal static List<object> Entries(Hashtable map, string key, string value)
        {
            var entries = new List<object>();
            if (map != null)
            {
                foreach (DictionaryEntry entry in map)
                {
                    entries.Add(new Dictionary<string, object>
                    {
                        { key, Convert.ToString(entry.Key, CultureInfo.InvariantCulture) },
                        { value, Convert.ToString(entry.Value, CultureInfo.InvariantCulture) },
                    });
                }
            }
            return entries;
        }

        public void Dispose()
        {
            if (handle != 0)
            {
                ulong closing = handle;
                handle = 0;
                PchatLibrary.Instance.CloseSession(closing);
            }
        }
    }
}
