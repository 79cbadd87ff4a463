using System;
using System.Collections;
using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>What all commands share: the connection's parameters, the session, the loop, and how errors are written.</summary>
    public abstract class PChatCommand : PSCmdlet, IDisposable
    {
        private Session session;
        private OperationLoop loop;
        private NativeCommandRunner native;

        /// <summary>A SQL login; without it, Windows integrated login.</summary>
        [Parameter]
        [Credential]
        public PSCredential SqlCredential { get; set; }

        /// <summary>How encryption is negotiated.</summary>
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

        protected PChatCommand()
        {
            Encrypt = "Mandatory";
            ConnectTimeoutSeconds = 15;
        }

        /// <summary>True where questions are answered by a parameter.</summary>
        internal virtual bool AnswersYes
        {
            get { return false; }
        }

        protected override void BeginProcessing()
        {
            native = new NativeCommandRunner(this, StopProcessing);
            loop = new OperationLoop(this, native, () => AnswersYes);
        }

        protected override void StopProcessing()
        {
            OperationLoop running = loop;
            if (running != null)
            {
                running.Stop();
            }
        }

        /// <summary>The session, opened at first use.</summary>
        internal Session OpenSession()
        {
            if (session == null)
            {
                session = new Session(new Dictionary<string, object>
                {
                    { "version", 1 },
                    { "encrypt", Encrypt },
                    { "trust_server_certificate", TrustServerCertificate.IsPresent },
                    { "connect_timeout_seconds", ConnectTimeoutSeconds },
                    { "address_map", Session.Entries(AddressMap, "name", "address") },
                });
                session.AddLogin(null, SqlCredential);
            }
            return session;
        }

        /// <summary>
        /// Carries out one operation. A failure becomes a non-terminating error with its code, and null comes back.
        /// </summary>
        internal KeyValuePair<string, object>? Operate(string export, object request, object target, Func<string, object, bool> item)
        {
            try
            {
                loop.Item = item;
                return loop.Run(export, OpenSession().Handle, request);
            }
            catch (PChatException e)
            {
                WriteError(e.ToErrorRecord(target));
                return null;
            }
            catch (Exception e)
            {
                // A missing or mismatched library, a document that cannot be read: one sentence, and the shell lives on.
                if (e is PipelineStoppedException || e is PipelineClosedException || e is ActionPreferenceStopException)
                {
                    throw;
                }
                WriteError(new ErrorRecord(e, "InternalFault", ErrorCategory.NotSpecified, target));
                return null;
            }
        }

        /// <summary>Writes a run's result, then its error with the same code: no failure may end as success.</summary>
        internal void WriteRun(RunResult result)
        {
            WriteObject(result);
            if (result.Error != null)
            {
                WriteError(new PChatException(result.Error).ToErrorRecord(result.SqlInstance));
            }
        }

        public void Dispose()
        {
            if (loop != null)
            {
                loop.Dispose();
            }
            if (session != null)
            {
                session.Dispose();
                session = null;
            }
        }
    }
}
