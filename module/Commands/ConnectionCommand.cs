using System.Collections;
using System.Management.Automation;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>A command that connects to instances.</summary>
    public abstract class ConnectionCommand : PChatCommand
    {
        /// <summary>A SQL login; without it, Windows integrated login.</summary>
        [Parameter]
        [Credential]
        public PSCredential SqlCredential { get; set; }

        /// <summary>How encryption is negotiated: Mandatory, Optional (the login alone) or Strict (TDS 8).</summary>
        [Parameter]
        [ValidateSet("Mandatory", "Optional", "Strict")]
        public string Encrypt { get; set; }

        /// <summary>Accepts a certificate that is not trusted, as old instances make their own.</summary>
        [Parameter]
        public SwitchParameter TrustServerCertificate { get; set; }

        /// <summary>How long a connection may take, in seconds.</summary>
        [Parameter]
        [ValidateRange(1, 600)]
        public int ConnectTimeoutSeconds { get; set; }

        /// <summary>Names and the addresses to use for them before any look-up: names must resolve when DNS died with the site.</summary>
        [Parameter]
        public Hashtable AddressMap { get; set; }

        protected ConnectionCommand()
        {
            Encrypt = "Mandatory";
            ConnectTimeoutSeconds = 15;
        }

        internal override object SessionSettings
        {
            get { return Session.Settings(Encrypt, TrustServerCertificate.IsPresent, ConnectTimeoutSeconds, AddressMap); }
        }

        internal override void AddLogins(Session opened)
        {
            opened.AddLogin(null, SqlCredential);
        }

        /// <summary>The login of another instance; it needs that instance's name.</summary>
        internal void AddLogin(Session opened, PSCredential credential, string role, string instance)
        {
            if (credential == null)
            {
                return;
            }
            if (string.IsNullOrEmpty(instance))
            {
                Writer.Message("warning", "-" + role + "SqlCredential is not used: it needs -" + role + "SqlInstance.");
                return;
            }
            opened.AddLogin(instance, credential);
        }

        /// <summary>A parameter without a value travels as null.</summary>
        internal static object NullIfEmpty(string text)
        {
            return string.IsNullOrEmpty(text) ? null : text;
        }

        /// <summary>A path of this machine: the shell's own folder counts, not the process's.</summary>
        internal object ClientPath(string path)
        {
            return string.IsNullOrEmpty(path) ? null : GetUnresolvedProviderPathFromPSPath(path);
        }
    }
}
