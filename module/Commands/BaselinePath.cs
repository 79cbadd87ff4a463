using System.Management.Automation;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>The place of a baseline, from a path or from an object that carries one.</summary>
    internal static class BaselinePath
    {
        /// <summary>The file or folder as this machine opens it; null where none is given.</summary>
        internal static string Full(PSCmdlet cmdlet, object baseline)
        {
            if (baseline == null)
            {
                return null;
            }
            var wrapped = PSObject.AsPSObject(baseline);
            var path = wrapped.BaseObject as string;
            if (path == null)
            {
                PSPropertyInfo property = wrapped.Properties["Path"];
                path = property == null ? null : property.Value as string;
            }
            if (string.IsNullOrEmpty(path))
            {
                throw PChatException.BadValue("-Baseline is neither a path nor a baseline.", "Give a file, a folder, or what Get-PChatBaseline gives.");
            }
            return ClientFolder.Full(cmdlet, "Baseline", path);
        }
    }
}
