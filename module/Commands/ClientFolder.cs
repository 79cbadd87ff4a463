using System;
using System.Management.Automation;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>Paths of this machine, seen from the shell's own folder.</summary>
    internal static class ClientFolder
    {
        internal static string Full(PSCmdlet cmdlet, string parameter, string path)
        {
            if (string.IsNullOrEmpty(path))
            {
                return null;
            }
            try
            {
                return cmdlet.GetUnresolvedProviderPathFromPSPath(path);
            }
            catch (Exception e) when (e is RuntimeException && !(e is PipelineStoppedException) || e is ArgumentException || e is NotSupportedException)
            {
                throw PChatException.BadValue("-" + parameter + " is no path of this machine: " + e.Message, "Give a local or network path.");
            }
        }
    }
}
